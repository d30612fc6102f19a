// The OPC UA server of the tests, on node-opcua: it shares no code with the agent's client.
//
//   node server.js '{"port": 4840, "control": 4841, "pki": "/tmp/x", ...}'
//
// Options: anonymous (true), users ({name: password}), plainPassword (false), limits ({maxNodesPerRead, ...}),
// maxSessions, policies (["None"]), modes (["None"]), discovery (true), sequence ({nodes, log}),
// applicationUri (what the server calls itself; its certificate keeps the one of its first start),
// strict (false: certificates of clients and users have to be put into pki/trusted/certs).
// press.js lists more of them.
// The control port takes one JSON command a line and answers each with one JSON line.

import { webcrypto } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

globalThis.crypto ??= webcrypto; // Node.js 18, Debian 12's, hides it behind a flag
const { default: opcua } = await import("node-opcua");
const { nodesets, press } = await import("./press.js");
const { DataType, MessageSecurityMode, OPCUACertificateManager, OPCUAServer, SecurityPolicy, StatusCodes, Variant,
  VariantArrayType } = opcua;

const options = JSON.parse(process.argv[2]);
const users = options.users ?? {};

// An endpoint can take passwords in the clear, but node-opcua's server hands that option on to none.
class PlantServer extends OPCUAServer {
  createEndpoint(port, more) {
    const endpoint = super.createEndpoint(port, more);
    const standard = endpoint.addStandardEndpointDescriptions.bind(endpoint);
    endpoint.addStandardEndpointDescriptions = (description) =>
      standard({ ...description, allowUnsecurePassword: options.plainPassword ?? false });
    return endpoint;
  }
}

const certificates = new OPCUACertificateManager({
  rootFolder: options.pki,
  automaticallyAcceptUnknownCertificate: !(options.strict ?? false),
});
const server = new PlantServer({
  nodeset_filename: nodesets(opcua, options, (name) => new URL(name, import.meta.url).pathname),
  port: options.port,
  hostname: "127.0.0.1",
  host: "127.0.0.1",
  resourcePath: "/plant",
  serverCertificateManager: certificates,
  userCertificateManager: certificates,
  allowAnonymous: options.anonymous ?? true,
  securityPolicies: (options.policies ?? ["None"]).map((name) => SecurityPolicy[name]),
  securityModes: (options.modes ?? ["None"]).map((name) => MessageSecurityMode[name]),
  disableDiscovery: !(options.discovery ?? true), // whether the endpoints may be asked for without security
  serverInfo: { applicationUri: options.applicationUri ?? "urn:test:plant", productUri: "urn:test:product", applicationName: { text: "plant" } },
  buildInfo: { productName: "test plant", softwareVersion: "1.2.3", manufacturerName: "nobody", buildNumber: "7" },
  serverCapabilities: {
    maxSessions: options.maxSessions ?? 100,
    minSupportedSampleRate: 0, // every change goes out
    ...(options.limits ? { operationLimits: options.limits } : {}),
  },
  userManager: { isValidUser: (name, password) => Object.hasOwn(users, name) && users[name] === password },
});

await server.initialize();
const space = server.engine.addressSpace;
const own = space.getOwnNamespace();
const folder = own.addFolder(space.rootFolder.objects, { browseName: "Plant" });

function add(name, dataType, value, more = {}) {
  const { arrayType = VariantArrayType.Scalar, ...rest } = more;
  return own.addVariable({
    organizedBy: folder,
    nodeId: `s=${name}`,
    browseName: name,
    dataType: DataType[dataType],
    minimumSamplingInterval: 0, // a change is reported when it happens, not when a timer looks
    value: new Variant({ dataType: DataType[dataType], arrayType, value }),
    valueRank: arrayType === VariantArrayType.Array ? 1 : -1,
    ...rest,
  });
}

// The variables' types, so that a command can name a node alone.
const types = new Map();
function remember(name, dataType, value, more) {
  types.set(name, dataType);
  return add(name, dataType, value, more);
}

remember("bool", "Boolean", true);
remember("sbyte", "SByte", -128);
remember("byte", "Byte", 255);
remember("int16", "Int16", -32768);
remember("uint16", "UInt16", 65535);
remember("int32", "Int32", -2147483648);
remember("uint32", "UInt32", 4294967295);
remember("int64", "Int64", [0x80000000, 0]); // high and low word: -2^63
remember("uint64", "UInt64", [0xffffffff, 0xffffffff]); // 2^64 - 1
remember("float", "Float", 1.5, { description: "motor current, phase A" });
remember("double", "Double", 0.1);
remember("string", "String", "한일정밀");
remember("text", "LocalizedText", { locale: "ko", text: "운전" });
remember("time", "DateTime", new Date(0));
remember("bytes", "ByteString", Buffer.from("abc"));
remember("array", "Double", new Float64Array([1, 2, 3]), { arrayType: VariantArrayType.Array });
remember("denied", "Double", 1.0, { userAccessLevel: "" });
remember("counter", "UInt32", 0);

const sequence = { nodes: [], timer: undefined, log: undefined, number: 0 };
for (let i = 0; i < (options.sequence?.nodes ?? 0); i += 1) {
  sequence.nodes.push(remember(`seq-${i}`, "UInt32", 0));
}

const origin = BigInt(Date.now()) * 1000000n - process.hrtime.bigint();
const wall = () => origin + process.hrtime.bigint();

function round() {
  sequence.number += 1;
  writeSync(sequence.log, `${wall()} ${sequence.number}\n`); // in the file before any client can see it
  const value = { dataType: DataType.UInt32, value: sequence.number };
  for (const node of sequence.nodes) {
    node.setValueFromSource(value);
  }
}

function variable(name) {
  const node = space.findNode(`ns=1;s=${name}`);
  if (!node) {
    throw new Error(`no node ${name}`);
  }
  return node;
}

const commands = {
  // Set a value, a status, a source time (ms since 1970) of one node.
  set({ node, value, status, time }) {
    const variant = new Variant({ dataType: DataType[types.get(node)], arrayType: VariantArrayType.Scalar, value });
    variable(node).setValueFromSource(variant, StatusCodes[status ?? "Good"], time === undefined ? undefined : new Date(time));
  },
  // Set values one after the other, with nothing between.
  burst({ node, values }) {
    for (const value of values) {
      commands.set({ node, value });
    }
  },
  add({ node, type, value }) {
    remember(node, type, value);
  },
  remove({ node }) {
    space.deleteNode(variable(node));
  },
  // Rounds of the sequence until `stop`; a server that was started again goes on behind `number`.
  start({ period, number }) {
    sequence.number = number ?? sequence.number;
    sequence.log ??= openSync(options.sequence.log, "a");
    sequence.timer = setInterval(round, period);
  },
  stop() {
    clearInterval(sequence.timer);
    if (sequence.log !== undefined) {
      closeSync(sequence.log);
      sequence.log = undefined;
    }
    return { number: sequence.number };
  },
  // Passwords that are valid from now on.
  users({ users: changed }) {
    for (const name of Object.keys(users)) {
      delete users[name];
    }
    Object.assign(users, changed);
  },
  // The subscriptions end on the server while session and socket live on.
  drop_subscriptions() {
    let count = 0;
    for (const session of Object.values(server.engine._sessions)) {
      for (const subscription of Object.values(session.publishEngine.subscriptions)) {
        subscription.terminate();
        count += 1;
      }
    }
    return { count };
  },
  // All sessions end as by their timeout; their subscriptions wait for somebody to take them over.
  end_sessions() {
    const all = Object.values(server.engine._sessions);
    for (const session of all) {
      server.engine.closeSession(session.authenticationToken, false, "Timeout");
    }
    return { count: all.length };
  },
  // Trust a client, as the server's administrator does.
  async trust({ certificate }) {
    await certificates.trustCertificate(Buffer.from(certificate, "base64"));
  },
  // Subscriptions say nothing any more, not even that they live; session and socket go on.
  mute() {
    let count = 0;
    for (const session of Object.values(server.engine._sessions)) {
      for (const subscription of Object.values(session.publishEngine.subscriptions)) {
        subscription._stop_timer();
        count += 1;
      }
    }
    return { count };
  },
  sessions() {
    return {
      sessions: server.engine.currentSessionCount,
      subscriptions: server.engine.currentSubscriptionCount,
      rejected: server.engine.rejectedSessionCount,
    };
  },
};

press({ opcua, server, space, own, options, commands, types });
await server.start();

createServer((socket) => {
  socket.on("error", () => {});
  createInterface({ input: socket }).on("line", async (line) => {
    let answer;
    try {
      const { do: name, ...rest } = JSON.parse(line);
      answer = { ok: true, ...(await commands[name](rest)) };
    } catch (error) {
      answer = { ok: false, error: String(error) };
    }
    socket.write(`${JSON.stringify(answer)}\n`);
  });
}).listen(options.control, "127.0.0.1");

process.on("SIGTERM", async () => {
  await server.shutdown(0);
  process.exit(0);
});
