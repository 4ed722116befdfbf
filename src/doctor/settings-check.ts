import type { InstanceSettings } from "../gitlab/gitlab.ts";
import { placesOf } from "../faults/places.ts";
import { toInstance } from "./run-checks.ts";
import { need, type CheckDefinition, type Outcome, type Visit } from "./visit.ts";

export const SETTINGS_CHECK: CheckDefinition = {
  id: "admin.settings",
  about: "The administrators' settings",
  run: checkSettings,
};

/** What an administrator's token happens to be able to read. Nobody is asked to use one for this. */
async function checkSettings(visit: Visit): Promise<Outcome> {
  const told = await need(visit.learnt.asked, "questions").settings;
  if (told.fault) return { state: "unknown", title: "The administrators' settings could not be read" };
  const settings = told.value;
  if (settings === null) {
    return visit.learnt.user?.admin
      ? { state: "unknown", title: "Admin Mode keeps the settings from this token, which is as it should be" }
      : { state: "skip", title: "The administrators' settings: only an administrator's token reads them" };
  }
  const trouble = troubleOf(settings);
  const evidence = describe(settings);
  if (trouble.length === 0)
    return { state: "ok", title: "The administrators' settings let Fairlead work", evidence };
  return {
    state: "warn",
    title: "Settings of this GitLab stand in the way",
    evidence: `${trouble.map(({ words }) => words).join("; ")}. ${evidence}`,
    fix: trouble.map(({ place }) => `Change it: ${place(visit)}.`).join("\n"),
  };
}

interface Trouble {
  readonly words: string;
  readonly place: (visit: Visit) => string;
}

function troubleOf(settings: InstanceSettings): readonly Trouble[] {
  const general =
    (...menu: readonly string[]) =>
    (visit: Visit) =>
      placesOf(toInstance(visit)).adminSettings("general", "General", ...menu);
  return [
    ...(settings.silent ? [{ words: "silent mode: no webhook is sent", place: general("Silent mode") }] : []),
    ...(settings.maintenance
      ? [{ words: "maintenance mode: nothing can be changed", place: general("Maintenance mode") }]
      : []),
    ...(settings.gitProtocol === "ssh"
      ? [
          {
            words: "git over HTTPS is switched off",
            place: general("Visibility and access controls", "Enabled Git access protocols"),
          },
        ]
      : []),
  ];
}

function describe(settings: InstanceSettings): string {
  const yes = (value: boolean | null): string => (value === null ? "not said" : value ? "yes" : "no");
  const listed =
    settings.allowList.length === 0 ? "" : `, ${settings.allowList.length} hosts on the allow-list`;
  return [
    `webhooks to private networks: ${yes(settings.allowsLocalHooks)}${listed}`,
    ...(settings.deniesAllButList ? ["all other hosts are denied"] : []),
    `import by URL: ${yes(settings.importsByUrl)}`,
    ...(settings.pushHooksLimit === null
      ? []
      : [`webhooks for pushes of up to ${settings.pushHooksLimit} refs`]),
  ].join(", ");
}
