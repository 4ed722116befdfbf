import type { Insertable } from "kysely";
import type { Diagnosis, DiagnosisError } from "../doctor/diagnosis.ts";
import type { Found } from "../doctor/found.ts";
import { CODES, type FaultCode, type FaultReason } from "../faults/codes.ts";
import { Fault } from "../faults/fault.ts";
import type { Network } from "../gitlab/network.ts";
import { newId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { Vault } from "../secrets/vault.ts";
import type { ConnectionTable } from "../store/rows.ts";
import type { Db } from "../store/store.ts";
import { tokenPlace } from "./clients.ts";
import type { ConnectionView, ConnectRequest } from "./connections.ts";
import { defaultConnectionName, parseConnectionName } from "./name.ts";
import { describeNetwork, networkPlace, sealNetwork } from "./stored-network.ts";
import { toView, VIEW_COLUMNS } from "./view.ts";

/** The doctor, as far as connecting needs it. */
export type CheckConnection = (request: {
  readonly url: string;
  readonly token: Secret;
  readonly network?: Network | undefined;
  readonly signal?: AbortSignal | undefined;
}) => Promise<{ readonly diagnosis: Diagnosis; readonly found: Found | null }>;

export interface ConnectDeps {
  readonly db: Db;
  readonly vault: Vault;
  readonly checkConnection: CheckConnection;
}

type ConnectionRow = Insertable<ConnectionTable>;

/** Diagnose, then store. Nothing is written unless the whole diagnosis is sound. */
export async function connect(
  deps: ConnectDeps,
  request: ConnectRequest,
  signal?: AbortSignal,
): Promise<{ connection: ConnectionView; diagnosis: Diagnosis }> {
  const name = request.name === undefined ? null : parseConnectionName(request.name);
  if (name !== null) await refuseTaken(deps.db, name);
  // Pasted tokens bring line ends and blanks along; no token holds any.
  const token = new Secret(request.token.reveal().trim());
  const { diagnosis, found } = await deps.checkConnection({
    url: request.url,
    token,
    network: request.network,
    signal,
  });
  if (diagnosis.error) throw toFaultOf(diagnosis.error);
  if (!found) {
    throw Fault.of("INTERNAL", "", { message: "The diagnosis was neither sound nor named an error" });
  }
  signal?.throwIfAborted();
  const row = toRow(deps.vault, request, token, found);
  const connection = await insert(deps.db, row, name);
  return { connection, diagnosis };
}

function toRow(
  vault: Vault,
  request: ConnectRequest,
  token: Secret,
  found: Found,
): Omit<ConnectionRow, "name"> {
  const id = newId("con");
  return {
    id,
    base_url: found.baseUrl,
    ca: request.network?.ca ?? null,
    reached_by: describeNetwork(request.network ?? {}),
    network: sealNetwork(vault, request.network ?? {}, networkPlace(id, found.baseUrl)),
    ...foundColumns(found),
    token: vault.seal(token, tokenPlace(id, found.baseUrl)),
  };
}

/** What a look at GitLab tells of a connection, at the first one and at every later. */
export function foundColumns(found: Found): Omit<ConnectionRow, "id" | "name" | "base_url" | "token"> {
  return {
    web_url: found.webUrl,
    version: found.version,
    edition: found.edition === "unknown" ? null : found.edition,
    token_kind: found.token.kind,
    token_name: found.token.name,
    token_scopes: [...found.token.scopes],
    token_scopes_known_by: found.token.scopesKnownBy,
    token_expires_at: found.token.expiresAt,
    user_id: found.user?.id ?? null,
    username: found.user?.username ?? null,
  };
}

/** A chosen name must be free; the default one is made free with a number. The unique index decides, so two at once cannot both win. */
async function insert(
  db: Db,
  row: Omit<ConnectionRow, "name">,
  chosen: string | null,
): Promise<ConnectionView> {
  const base = chosen ?? defaultConnectionName(row.base_url);
  for (let number = 1; number <= 1000; number++) {
    const name = number === 1 ? base : `${base.slice(0, 58)}-${number}`;
    const stored = await db
      .insertInto("connection")
      .values({ ...row, name })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .returning(VIEW_COLUMNS)
      .executeTakeFirst();
    if (stored) return toView(stored);
    if (chosen !== null) break;
  }
  throw nameTaken(base);
}

async function refuseTaken(db: Db, name: string): Promise<void> {
  const taken = await db.selectFrom("connection").select("id").where("name", "=", name).executeTakeFirst();
  if (taken) throw nameTaken(name);
}

function nameTaken(name: string): Fault {
  return Fault.of("CONFLICT", "name_taken", { message: `There is a connection named ${name} already` });
}

/** The first broken layer of a diagnosis, to be thrown. */
export function toFaultOf(error: DiagnosisError): Fault {
  const { code, reason, evidence, title } = error;
  if (!isCode(code) || !isReasonOf(code, reason)) {
    return Fault.of("INTERNAL", "", { message: `The diagnosis ended with ${code} (${reason}): ${title}` });
  }
  return Fault.of(code, reason, { evidence, message: title });
}

function isCode(code: string): code is FaultCode {
  return Object.hasOwn(CODES, code);
}

function isReasonOf(code: FaultCode, reason: string): reason is FaultReason<FaultCode> {
  const reasons: readonly string[] = CODES[code];
  return reasons.includes(reason);
}
