"""The smallest file of a site: an agent with one machine and no device."""

SMALLEST = """\
version: 1
factory: hanil
agent: edge-1
name: 공장
time: {{zone: Asia/Seoul, trust_local_clock: true}}
machines: [{{id: press-1}}]
storage: {{directory: {folder}}}
uplink: {{site: {{host: 127.0.0.1, port: {port}}}}}
"""
