/** What is known of the GitLab in question. Without a base URL places are named in words, without a version for the widest range of versions. */
export interface Instance {
  readonly baseUrl?: string | undefined;
  /** `18.9.0` */
  readonly version?: string | null | undefined;
}

/** Places in *their* GitLab, as a link where its address is known, always with the way through the menus of its version. */
export interface Places {
  /** Where a personal access token is made, with name and scope filled in. */
  tokenPage(): string;
  /** The list of the user's tokens. */
  tokenList(): string;
  /** Signing in with a browser. */
  signIn(): string;
  /** A page of the administrator's area: `admin("network#js-outbound-settings", "Network", "Outbound requests")`. */
  adminSettings(page: string, ...menu: readonly string[]): string;
  adminUsers(): string;
  /** `Settings > Webhooks`, below the project. */
  projectMenu(...menu: readonly string[]): string;
  /** The address to paste, or a way to say it. */
  readonly instance: string;
}

/** Sources: GitLab's routes and menus, 10.5 to 19 (the token page moved in 13.0 and 16.7; prefilling works since 14.1). */
export function placesOf(instance: Instance): Places {
  const { baseUrl } = instance;
  const at = (path: string, words: string): string =>
    baseUrl === undefined ? words : `${baseUrl}${path} (${words})`;
  const [major, minor] = toNumbers(instance.version);
  const since = (otherMajor: number, otherMinor: number): boolean | null =>
    major === null ? null : major > otherMajor || (major === otherMajor && minor >= otherMinor);
  const tokens = tokenPath(since);
  const tokenMenu = tokenMenuOf(major);
  const prefill = since(14, 1) === false ? "" : "?name=Fairlead&scopes=api";
  const admin = adminMenuOf(since);
  return {
    instance: baseUrl ?? "your GitLab",
    tokenPage: () => at(`${tokens}${prefill}`, tokenMenu),
    tokenList: () => at(tokens, tokenMenu),
    signIn: () => at("/users/sign_in", "GitLab's sign-in page"),
    adminSettings: (page, ...menu) =>
      at(`/admin/application_settings/${page}`, [admin, "Settings", ...menu].join(" > ")),
    adminUsers: () => at("/admin/users", [admin, "Overview", "Users"].join(" > ")),
    projectMenu: (...menu) => ["the project", "Settings", ...menu].join(" > "),
  };
}

type Since = (major: number, minor: number) => boolean | null;

/** Unknown version: the address of 13.0 to 16.6, which later versions redirect. */
function tokenPath(since: Since): string {
  if (since(16, 7)) return "/-/user_settings/personal_access_tokens";
  return since(13, 0) === false ? "/profile/personal_access_tokens" : "/-/profile/personal_access_tokens";
}

function tokenMenuOf(major: number | null): string {
  if (major === null) return "your avatar > Edit profile > Access tokens";
  if (major <= 12) return "your avatar > Settings > Access Tokens";
  if (major <= 17) return "your avatar > Edit profile > Access tokens";
  return major === 18
    ? "your avatar > Edit profile > Personal access tokens"
    : "your avatar > Edit profile > Access > Personal access tokens";
}

function adminMenuOf(since: Since): string {
  if (since(18, 6)) return "Admin, at the top right";
  if (since(16, 0)) return "Admin, at the bottom of the left sidebar";
  if (since(14, 0)) return "Menu > Admin";
  return since(0, 0) ? "Admin area, the wrench" : "Admin";
}

function toNumbers(version: string | null | undefined): [number | null, number] {
  const match = /^(\d{1,3})\.(\d{1,3})/.exec(version ?? "");
  return match ? [Number(match[1]), Number(match[2])] : [null, 0];
}
