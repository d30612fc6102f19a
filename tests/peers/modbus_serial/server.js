/* A Modbus server on npm modbus-serial, for tests: it shares no code with our client.
 *
 *   node server.js '{"port": P}'                     Modbus TCP on loopback
 *   node server.js '{"serial": "/dev/pts/N"}'        Modbus RTU
 *
 * Every unit answers. Register A of unit U holds A + 1000 U (holding) or A xor 0x5555 (input), modulo 65536; coil A is
 * on when A is odd, discrete input A when A is divisible by 3. Addresses from 60000 on are illegal.
 */
"use strict";
const modbus = require("modbus-serial");

function legal(address, value) {
    if (address < 60000) return value;
    const error = new Error("illegal address");
    error.modbusErrorCode = 2;
    throw error;
}

const tables = {
    getHoldingRegister: (address, unit) => legal(address, (address + 1000 * unit) % 65536),
    getInputRegister: (address) => legal(address, address ^ 0x5555),
    getCoil: (address) => legal(address, address % 2 === 1),
    getDiscreteInput: (address) => legal(address, address % 3 === 0),
};

const options = JSON.parse(process.argv[2]);
if (options.serial) {
    const server = new modbus.ServerSerial(tables, { path: options.serial, baudRate: 9600, interval: 5 });
    server.on("initialized", () => console.log("ready"));
    server.on("error", (error) => { console.error(error); process.exit(1); });
} else {
    const server = new modbus.ServerTCP(tables, { host: "127.0.0.1", port: options.port, unitID: 255 });
    server.on("initialized", () => console.log("ready"));
    server.on("serverError", (error) => { console.error(error); process.exit(1); });
}
