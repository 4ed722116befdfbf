import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { bits, integer, objectId, octets, primitive, sequence, set, tagged, time, utf8, yes } from "./der.ts";

// X.509 certificates (RFC 5280) by hand: Node makes keys and signatures but no certificates, and the libraries that do bring twenty
// packages and change globals.

export interface Issued {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly certificate: string;
}

export interface Request {
  readonly name: string;
  /** Who signs; null: itself. */
  readonly issuer: Issued | null;
  readonly use: "authority" | "server" | "client";
  /** DNS names and addresses it is good for. */
  readonly hosts?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

const ECDSA_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));

/** Makes a key (P-256) and a certificate for it. */
export function issue(request: Request): Issued {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { name, issuer } = request;
  const body = sequence(
    tagged(0, integer(Buffer.of(2))), // version 3
    integer(serialNumber()),
    ECDSA_SHA256,
    nameOf(issuer?.name ?? name),
    sequence(time(request.from), time(request.until)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensions(request, publicKey, issuer?.publicKey ?? publicKey))),
  );
  const signature = sign("sha256", body, issuer?.privateKey ?? privateKey);
  return { name, publicKey, privateKey, certificate: pem(sequence(body, ECDSA_SHA256, bits(signature))) };
}

/** 16 bytes, positive and without a leading zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes;
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(objectId("2.5.4.3"), utf8(commonName))));
}

function extensions({ use, hosts = [] }: Request, own: KeyObject, signer: KeyObject): Buffer[] {
  const authority = use === "authority";
  const constraints = critical("2.5.29.19", authority ? sequence(yes()) : sequence());
  // keyCertSign and cRLSign, or digitalSignature
  const usage = critical("2.5.29.15", authority ? bits(Buffer.of(0x06), 1) : bits(Buffer.of(0x80), 7));
  const purpose = use === "server" ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2";
  return [
    constraints,
    usage,
    ...(authority ? [] : [extension("2.5.29.37", sequence(objectId(purpose)))]),
    ...(hosts.length === 0 ? [] : [extension("2.5.29.17", sequence(...hosts.map(hostName)))]),
    extension("2.5.29.14", octets(keyId(own))),
    extension("2.5.29.35", sequence(primitive(0, keyId(signer)))),
  ];
}

function extension(id: string, value: Uint8Array): Buffer {
  return sequence(objectId(id), octets(value));
}

function critical(id: string, value: Uint8Array): Buffer {
  return sequence(objectId(id), yes(), octets(value));
}

function hostName(host: string): Buffer {
  return isIP(host) === 0 ? primitive(2, Buffer.from(host)) : primitive(7, addressBytes(host));
}

/** Of IPv6 only the addresses that a sandbox can have a certificate for without being told: `::1` and full ones. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [left = "", right = ""] = address.split("::");
  const words = (text: string): string[] =>
    text === "" ? [] : text.split(":").map((word) => word.padStart(4, "0"));
  const [before, after] = [words(left), words(right)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0000");
  return Buffer.from([...before, ...zeros, ...after].join(""), "hex");
}

function keyId(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
