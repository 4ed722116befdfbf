/**
 * How GitLab's menus were called in which version: a step that names a menu that is not there helps nobody. Sources: GitLab's documentation and
 * routes, 10.5 to 19.
 */
export interface Menus {
  readonly tokens: string;
  readonly olderTokens: string;
  /** Two where the version is not known. */
  readonly tokenPaths: readonly [string, ...string[]];
  readonly prefill: string;
  readonly admin: string;
  /** Up to 10.x all settings stood on one page. */
  readonly settingsPages: boolean;
  readonly localRequestsBox: string;
  readonly importSettings: string;
  /** "Disable access tokens" can be found in the administrator's area. */
  readonly hasTokenSwitch: boolean;
  readonly members: readonly string[];
  readonly membersPath: string;
  readonly webhooks: string;
  readonly webhooksPath: string;
  readonly repositoryPath: string;
}

/** From when on something is called as it is now; null: the version is not known. */
type Since = (major: number, minor: number) => boolean | null;

export function createMenus(version: string | null | undefined): Menus {
  const since = sinceOf(version);
  return {
    tokens: tokenMenu(since),
    olderTokens: "your avatar > Edit profile > Access Tokens",
    tokenPaths: tokenPaths(since),
    prefill: since(14, 1) === false ? "" : "?name=Fairlead&scopes=api",
    admin: adminMenu(since),
    settingsPages: since(11, 0) !== false,
    localRequestsBox: localRequestsBox(since),
    importSettings: since(16, 4) === false ? "Visibility and access controls" : "Import and export settings",
    hasTokenSwitch: since(17, 3) !== false,
    members: membersMenu(since),
    membersPath: since(13, 0) === false ? "/project_members" : "/-/project_members",
    webhooks: since(12, 10) === false ? "Integrations" : "Webhooks",
    webhooksPath: since(12, 10) === false ? "/settings/integrations" : "/-/hooks",
    repositoryPath: since(12, 0) === false ? "/settings/repository" : "/-/settings/repository",
  };
}

function sinceOf(version: string | null | undefined): Since {
  const match = /^(\d{1,3})\.(\d{1,3})/.exec(version ?? "");
  if (!match) return () => null;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return (otherMajor, otherMinor) => major > otherMajor || (major === otherMajor && minor >= otherMinor);
}

function tokenPaths(since: Since): readonly [string, ...string[]] {
  const newest = "/-/user_settings/personal_access_tokens";
  const middle = "/-/profile/personal_access_tokens";
  if (since(16, 7) === null) return [newest, middle];
  if (since(16, 7)) return [newest];
  return since(13, 0) ? [middle] : ["/profile/personal_access_tokens"];
}

function tokenMenu(since: Since): string {
  if (since(19, 0)) return "your avatar > Edit profile > Access > Personal access tokens";
  if (since(18, 0)) return "your avatar > Edit profile > Personal access tokens";
  if (since(17, 0) !== false) return "your avatar > Edit profile > Access tokens";
  if (since(13, 0)) return "your avatar > Edit profile > Access Tokens";
  return "your avatar > Settings > Access Tokens";
}

function adminMenu(since: Since): string {
  if (since(18, 6)) return "Admin, at the top right";
  if (since(16, 0)) return "Admin, at the bottom of the left sidebar";
  if (since(14, 0)) return "Menu > Admin";
  return since(0, 0) ? "Admin area, the wrench" : "Admin";
}

function localRequestsBox(since: Since): string {
  const from =
    since(16, 0) === false ? (since(12, 2) ? "web hooks and services" : "hooks and services") : null;
  return `Allow requests to the local network from ${from ?? "webhooks and integrations"}`;
}

function membersMenu(since: Since): readonly string[] {
  if (since(16, 0) !== false) return ["Manage", "Members"];
  if (since(14, 0)) return ["Project information", "Members"];
  return since(13, 0) ? ["Members"] : ["Settings", "Members"];
}
