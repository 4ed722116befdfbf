import { Fault } from "../../src/faults/fault.ts";
import { Secret } from "../../src/kernel/secret.ts";
import type { Place, Vault } from "../../src/secrets/vault.ts";

/** Keeps the vault's promise about places, and hides nothing: tests look for what should have been sealed. */
export function createPlainVault(): Vault {
  return {
    seal: (secret, place) => Buffer.from(JSON.stringify({ place: nameOf(place), value: secret.reveal() })),
    open(ciphertext, place) {
      const sealed: { place: string; value: string } = JSON.parse(ciphertext.toString());
      if (sealed.place !== nameOf(place)) throw Fault.of("KEY_UNUSABLE", "wrong");
      return new Secret(sealed.value);
    },
  };
}

function nameOf(place: Place): string {
  return [place.table, place.row, place.column, place.origin ?? ""].join("|");
}
