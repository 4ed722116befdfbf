/** Where GitLab calls us, or why it cannot. */
export type HookAddress =
  | { readonly usable: true; readonly receiver: string }
  | { readonly usable: false; readonly reason: string };

const POLLING = "Fairlead looks at the branches by itself instead";

/**
 * The receiver's URL without the hook's own part, from `FAIRLEAD_PUBLIC_URL`, never guessed. A loopback address serves only a
 * GitLab on loopback: on any other machine it would call itself.
 */
export function hookAddress(publicUrl: string | null, gitlabUrl: string): HookAddress {
  if (publicUrl === null) {
    return {
      usable: false,
      reason: `FAIRLEAD_PUBLIC_URL is not set, so GitLab has no address to call. ${POLLING}`,
    };
  }
  if (isLoopback(publicUrl) && !isLoopback(gitlabUrl)) {
    return {
      usable: false,
      reason: `FAIRLEAD_PUBLIC_URL (${publicUrl}) is this machine's own loopback address, which GitLab at ${gitlabUrl} cannot reach. ${POLLING}`,
    };
  }
  return { usable: true, receiver: `${publicUrl.replace(/\/+$/, "")}/hooks/gitlab/` };
}

function isLoopback(url: string): boolean {
  const host = new URL(url).hostname.toLowerCase().replace(/\.$/, "");
  return (
    host === "localhost" ||
    host.endsWith(".localhost") ||
    host === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(host)
  );
}
