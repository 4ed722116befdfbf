import { createMenus, type Menus } from "./menus.ts";

/** What is known of the GitLab in question. Without a base URL places are named in words, without a version for the widest range of versions. */
export interface Instance {
  readonly baseUrl?: string | undefined;
  /** `18.9.0` */
  readonly version?: string | null | undefined;
  /** The page of the project that it is about. */
  readonly projectUrl?: string | undefined;
}

/** Places in *their* GitLab, as a link where its address is known, always with the way through the menus of its version. */
export interface Places {
  /** Where a personal access token is made, with name and scope filled in. Of a version that is not known: both addresses it may have. */
  tokenPage(): string;
  /** The address alone, to be opened; null without a base URL. Two where the version is not known, the likelier first. */
  tokenLinks(): readonly string[];
  /** The list of the user's tokens. */
  tokenList(): string;
  /** Signing in with a browser. */
  signIn(): string;
  /** A page of the administrator's area: `admin("network#js-outbound-settings", "Network", "Outbound requests")`. */
  adminSettings(page: string, ...menu: readonly string[]): string;
  adminUsers(): string;
  /** Where webhooks to private networks are allowed. */
  outboundRequests(): string;
  /** What the box there is called. */
  readonly localRequestsBox: string;
  /** Where imports are switched on. */
  importSettings(): string;
  /** Whether this GitLab has a switch for it that can be found in its menus. */
  readonly hasTokenSwitch: boolean;
  /** `Settings > Webhooks`, below the project. */
  projectMenu(...menu: readonly string[]): string;
  members(): string;
  webhooks(): string;
  protectedBranches(): string;
  /** The address to paste, or a way to say it. */
  readonly instance: string;
}

/** Sources: GitLab's routes and menus, 10.5 to 19 (the token page moved in 13.0 and 16.7; prefilling works since 14.1). */
export function placesOf(instance: Instance): Places {
  const { baseUrl, projectUrl } = instance;
  const menus = createMenus(instance.version);
  const at = (path: string, words: string): string =>
    baseUrl === undefined ? words : `${baseUrl}${path} (${words})`;
  const inProject = (path: string, ...menu: readonly string[]): string => {
    const words = ["the project", ...menu].join(" > ");
    return projectUrl === undefined || path === "" ? words : `${projectUrl}${path} (${words})`;
  };
  const adminSettings = (page: string, ...menu: readonly string[]): string =>
    at(
      menus.settingsPages ? `/admin/application_settings/${page}` : "/admin/application_settings",
      [menus.admin, "Settings", ...(menus.settingsPages ? menu : menu.slice(1))].join(" > "),
    );
  return {
    instance: baseUrl ?? "your GitLab",
    tokenLinks: () => (baseUrl === undefined ? [] : tokenPaths(menus).map((path) => `${baseUrl}${path}`)),
    tokenPage: () => bothPlaces(menus, at),
    tokenList: () => at(menus.tokenPaths[0], menus.tokens),
    signIn: () => at("/users/sign_in", "GitLab's sign-in page"),
    adminSettings,
    adminUsers: () => at("/admin/users", [menus.admin, "Overview", "Users"].join(" > ")),
    outboundRequests: () => adminSettings("network#js-outbound-settings", "Network", "Outbound requests"),
    localRequestsBox: menus.localRequestsBox,
    importSettings: () => adminSettings("general", "General", menus.importSettings),
    hasTokenSwitch: menus.hasTokenSwitch,
    projectMenu: (...menu) => inProject(menu[0] === "General" ? "/edit" : "", "Settings", ...menu),
    members: () => inProject(menus.membersPath, ...menus.members),
    webhooks: () => inProject(menus.webhooksPath, "Settings", menus.webhooks),
    protectedBranches: () => inProject(menus.repositoryPath, "Settings", "Repository", "Protected branches"),
  };
}

function tokenPaths(menus: Menus): readonly string[] {
  return menus.tokenPaths.map((path) => `${path}${menus.prefill}`);
}

/** A version that is not known may be before or after the page moved: then both addresses are told, instead of one that may be missing. */
function bothPlaces(menus: Menus, at: (path: string, words: string) => string): string {
  const [path = "", older] = tokenPaths(menus);
  if (older === undefined || at(path, "") === "") return at(path, menus.tokens);
  return `${at(path, menus.tokens)}, in GitLab before 16.7 ${at(older, menus.olderTokens)}`;
}
