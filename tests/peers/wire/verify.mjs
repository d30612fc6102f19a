// Verifies the test vectors with nothing of ours: Ed25519 of Node, and BLAKE2b written after RFC 7693.
// node verify.mjs FOLDER  prints {"file": "head of the chain" | "signature" | "key" | "chain", ...}

import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const MASK = (1n << 64n) - 1n
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
]
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
]

const turn = (x, n) => ((x >> n) | (x << (64n - n))) & MASK

// The length of the digest is part of the computation: 32 bytes are not 64 bytes cut off.
function blake2b(input, length) {
  const h = [...IV]
  h[0] ^= 0x01010000n ^ BigInt(length)
  const blocks = Math.max(1, Math.ceil(input.length / 128))
  for (let block = 0; block < blocks; block++) {
    const chunk = Buffer.alloc(128)
    input.copy(chunk, 0, block * 128, Math.min(input.length, (block + 1) * 128))
    const m = Array.from({ length: 16 }, (_, i) => chunk.readBigUInt64LE(8 * i))
    const last = block === blocks - 1
    const v = [...h, ...IV]
    v[12] ^= BigInt(last ? input.length : (block + 1) * 128)
    if (last) v[14] ^= MASK
    const mix = (a, b, c, d, x, y) => {
      v[a] = (v[a] + v[b] + x) & MASK
      v[d] = turn(v[d] ^ v[a], 32n)
      v[c] = (v[c] + v[d]) & MASK
      v[b] = turn(v[b] ^ v[c], 24n)
      v[a] = (v[a] + v[b] + y) & MASK
      v[d] = turn(v[d] ^ v[a], 16n)
      v[c] = (v[c] + v[d]) & MASK
      v[b] = turn(v[b] ^ v[c], 63n)
    }
    for (let round = 0; round < 12; round++) {
      const s = SIGMA[round % 10]
      for (let i = 0; i < 4; i++) mix(i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]])
      for (let i = 0; i < 4; i++) mix(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4), m[s[8 + 2 * i]], m[s[9 + 2 * i]])
    }
    for (let i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8]
  }
  const out = Buffer.alloc(64)
  h.forEach((word, i) => out.writeBigUInt64LE(word, 8 * i))
  return out.subarray(0, length).toString('hex')
}

const folder = process.argv[2]
const read = (name) => readFileSync(join(folder, name))
const index = JSON.parse(read('vectors.json'))
const manifest = JSON.parse(read('manifest.json'))
const raw = Buffer.from(manifest.public_key, 'base64')
const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
const signed = (bytes, signature) => verify(null, bytes, key, Buffer.from(signature, 'base64'))

// One record: a verdict, or the head of the chain behind it. `before` is the head that it has to continue.
function judge(message, topic, before, number) {
  if (message.key !== manifest.key) return 'key'
  const bytes = Buffer.concat([Buffer.from(topic, 'utf8'), Buffer.from([0x0a]), Buffer.from(message.record, 'utf8')])
  if (!signed(bytes, message.signature)) return 'signature'
  const record = JSON.parse(message.record)
  if ((record.prev ?? null) !== before || record.number !== number) return 'chain'
  return blake2b(bytes, 32)
}

const found = { key: blake2b(raw, 8) }
for (const one of [...index.right, ...index.wrong]) found[one.file] = judge(JSON.parse(read(one.file)), one.topic, one.before, one.number)
let before = null
let number = 0
for (const one of JSON.parse(read('days.json')).days) {
  const record = JSON.parse(one.record)
  before = judge(one, `tsq/1/${record.factory}/${record.agent}/day/${record.date}`, before, ++number)
}
found['days.json'] = before
for (const name of ['baseline', 'solution']) found[name] = signed(read(`${name}.signed`), index[name].signature)
const frozen = JSON.parse(read('baseline.json'))
found['baseline.json'] = signed(Buffer.from(`${index.baseline.topic}\n${frozen.baseline}`, 'utf8'), frozen.signature)
for (const one of index.right) {
  const message = JSON.parse(read(one.file))
  found[`${one.file} bytes`] = read(one.signed).equals(Buffer.from(`${one.topic}\n${message.record}`, 'utf8'))
}
process.stdout.write(JSON.stringify(found))
