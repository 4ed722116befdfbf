import { fact, type Entries, type Entry, type Known } from "./entry.ts";

type Reaching =
  | "INVALID_URL"
  | "UNREACHABLE"
  | "TLS_UNTRUSTED"
  | "REDIRECTED"
  | "NOT_GITLAB"
  | "RATE_LIMITED"
  | "GITLAB_UNAVAILABLE";

const host = ({ evidence }: Known): string => fact(evidence, "host", "the host");

const giveCa =
  "Save the certificate of that authority as a PEM file and give it: fairlead connect URL --ca FILE.";

function notGitLab(title: string, cause: Entry["cause"], ...steps: readonly string[]): Entry {
  return {
    title,
    cause,
    fix: ({ evidence }) => {
      const found = evidence["found"];
      if (found !== undefined) return [`GitLab answers at ${found}: use that address.`];
      return [
        ...steps,
        "Open GitLab in a browser and paste the address of its start page, with the sub-path if there is one (https://git.example.com/gitlab), without a project.",
      ];
    },
  };
}

/** A proxy that answers has a status; one that does not, an error of the network. */
function proxyCause({ evidence }: Known): string {
  const proxy = evidence["proxy"] === undefined ? "" : ` ${evidence["proxy"]}`;
  const { status, networkError } = evidence;
  if (networkError !== undefined)
    return `The proxy${proxy} between this machine and GitLab cannot be reached, or breaks the connection off (${networkError}).`;
  if (status === 407)
    return `The proxy${proxy} between this machine and GitLab asks for a sign-in of its own.`;
  if (status === 403)
    return `A rule of the proxy${proxy} between this machine and GitLab forbids the way there.`;
  if (status !== undefined)
    return `The proxy${proxy} between this machine and GitLab could not reach GitLab (status ${status}).`;
  return "A proxy between this machine and GitLab asks for a sign-in of its own, or cannot reach GitLab.";
}

export const reachingEntries: Entries<Reaching> = {
  INVALID_URL: {
    "": {
      title: "This is not the address of a GitLab",
      cause: ({ evidence }) =>
        evidence["address"] === undefined
          ? "The address must be a plain http or https URL without user name, password or blanks."
          : `It leads to ${evidence["address"]}, a link-local or cloud metadata address, which is never called: such addresses hand out the credentials of machines.`,
      fix: () => [
        "Paste the address of GitLab's start page as the browser shows it, for example https://git.example.com.",
        "Give the token when you are asked for it, never as part of the address.",
      ],
    },
  },
  UNREACHABLE: {
    dns: {
      title: "The host name does not exist here",
      cause: (known) => `This machine cannot find the address of ${host(known)}.`,
      fix: (known) => [
        "Look for a typing mistake in the address.",
        `Try on this machine: getent hosts ${fact(known.evidence, "host", "NAME").replace(/:\d+$/, "")}. A name of a private network needs that network's DNS server (or VPN) here too.`,
      ],
    },
    refused: {
      title: "Nothing answers at this port",
      cause: (known) =>
        `The connection to ${host(known)} was refused: no program listens at that port, or a firewall turns it away.`,
      fix: () => [
        "Check the port in the address and whether GitLab is running (on its machine: sudo gitlab-ctl status).",
        "Check the firewall between this machine and GitLab.",
      ],
    },
    timeout: {
      title: "GitLab did not answer in time",
      cause: (known) =>
        `No answer came from ${host(known)} before the deadline: a firewall that drops packets, or an overloaded GitLab.`,
      fix: (known) => [
        `Try on this machine: curl -sv ${known.at.instance === "your GitLab" ? "URL" : known.at.instance}/api/v4/version`,
        "Open the firewall from this machine to GitLab's port, or wait until GitLab is less busy.",
      ],
    },
    reset: {
      title: "The connection was cut",
      cause: (known) =>
        `The connection to ${host(known)} broke before an answer came. A proxy in between, a restart, or https where http is spoken do this.`,
      fix: () => [
        "Try again in a moment.",
        "Check whether the address begins with the right one of https:// and http://.",
      ],
    },
    proxy: {
      title: "A proxy stands in the way",
      cause: proxyCause,
      fix: () => [
        "Let the proxy pass these requests, or give its sign-in: fairlead connect URL --proxy @FILE, with http://user:password@proxy:3128 in the file (the machine's is in HTTPS_PROXY).",
        "If GitLab is reached without it: --proxy none, or GitLab's host name in NO_PROXY.",
      ],
    },
  },
  TLS_UNTRUSTED: {
    unknown_ca: {
      title: "The certificate is signed by an authority that is not known here",
      cause: ({ evidence }) =>
        `The certificate was issued by ${fact(evidence, "issuer", "an authority")}, which this machine does not trust: usually a company's own authority, or a server that does not send its intermediate certificate.`,
      fix: () => [
        giveCa,
        "Or install it on this machine (Debian: /usr/local/share/ca-certificates/, then update-ca-certificates).",
      ],
    },
    self_signed: {
      title: "The certificate is self-signed",
      cause: "Nobody but GitLab's own machine vouches for its certificate.",
      fix: () => [
        "Compare its fingerprint with the one on GitLab's machine; then save it as a PEM file and give it: fairlead connect URL --ca FILE.",
        "Better: give GitLab a certificate of your authority or of Let's Encrypt.",
      ],
    },
    name_mismatch: {
      title: "The certificate belongs to another name",
      cause: (known) => `The certificate is not made out to ${host(known)}.`,
      fix: () => [
        "Use the name that the certificate is made out to, or have a certificate made for this name.",
      ],
    },
    expired: {
      title: "The certificate is not valid now",
      cause: "The certificate has expired, was revoked, or is not valid yet.",
      fix: () => [
        "Renew GitLab's certificate (on its machine: sudo gitlab-ctl renew-le-certs, where Let's Encrypt is used).",
        "Check this machine's clock.",
      ],
    },
  },
  REDIRECTED: {
    to_https: {
      title: "GitLab wants https",
      cause:
        "The address begins with http:// and GitLab sends on to https://. Redirects are not followed, so that the token is never sent unencrypted.",
      fix: ({ evidence }) => [`Use ${originOf(evidence["to"]) ?? "the address with https://"}.`],
    },
    other_host: {
      title: "GitLab sends on to another address",
      cause: ({ evidence }) =>
        `The answer was a redirect to ${fact(evidence, "to", "another address")}. Redirects are not followed, so that the token goes only where you said.`,
      fix: ({ evidence }) => [
        `If that is your GitLab, use its address: ${originOf(evidence["to"]) ?? "the one the browser ends up at"}.`,
      ],
    },
    login: {
      title: "A sign-in page stands before GitLab",
      cause: ({ evidence }) =>
        `The answer was a redirect to the sign-in page ${fact(evidence, "to", "of another service")}: a single sign-on proxy guards GitLab's API too.`,
      fix: () => [
        "Exempt /api/ (and .git/ paths) from the sign-in proxy: GitLab checks tokens itself.",
        "Or use an address of GitLab that does not go through the proxy.",
      ],
    },
  },
  NOT_GITLAB: {
    html: notGitLab(
      "This is a web page, not GitLab's API",
      ({ evidence }) =>
        `Something answers at this address, but not GitLab's API${evidence.words === undefined ? "" : `: a page titled “${evidence.words}”`}.`,
    ),
    wrong_path: notGitLab(
      "GitLab's API is not below this address",
      "The server answers, but there is no GitLab API at this path: the sub-path is wrong, another program answers, or GitLab is older than 9.0.",
    ),
    sso: notGitLab(
      "A sign-in or a firewall answers instead of GitLab",
      ({ evidence }) =>
        `The answer came from something before GitLab${evidence.words === undefined ? "" : `: “${evidence.words}”`}.`,
      "Exempt /api/ from the sign-in proxy or firewall for this machine: GitLab checks tokens itself.",
      "Or give it what it asks for: --client-cert and --client-key, or --header (fairlead connect --help).",
    ),
    not_json: notGitLab(
      "The answer is not GitLab's",
      "Something answers at this address, but not in the way GitLab's API does: another program, or a proxy that changes answers.",
    ),
  },
  RATE_LIMITED: {
    "": {
      title: "GitLab limits the rate of requests",
      cause: "GitLab was asked more often than it allows. Fairlead waits and goes on by itself where it can.",
      fix: ({ at }) => [
        "Wait a minute and try again.",
        `If it happens often, an administrator can raise the limit: ${at.adminSettings("network", "Network", "User and IP rate limits")}.`,
      ],
    },
  },
  GITLAB_UNAVAILABLE: {
    maintenance: {
      title: "GitLab is in maintenance mode",
      cause: "GitLab answers, but refuses every change until its administrators end the maintenance.",
      fix: ({ at }) => [
        "Wait until the maintenance is over; what was under way is tried again.",
        `Administrators end it here: ${at.adminSettings("general", "General", "Maintenance mode")}.`,
      ],
    },
    read_only: {
      title: "This GitLab can only be read",
      cause: "This address is a read-only copy (a Geo secondary, or a database in recovery).",
      fix: () => ["Use the address of the primary GitLab."],
    },
    bad_gateway: {
      title: "GitLab is not responding",
      cause:
        "The web server before GitLab answers, GitLab itself does not: it is starting, overloaded or down.",
      fix: () => [
        "Wait: starting takes GitLab a few minutes.",
        "On GitLab's machine: sudo gitlab-ctl status, then sudo gitlab-ctl tail.",
      ],
    },
    error: {
      title: "GitLab had an error",
      cause: "GitLab answered with an error of its own.",
      fix: ({ evidence }) => [
        "Try again in a moment.",
        `An administrator finds the cause in GitLab's logs by the request id${evidence.requestId === undefined ? "" : ` ${evidence.requestId}`} (production_json.log, exceptions_json.log).`,
      ],
    },
  },
};

function originOf(url: string | number | undefined): string | null {
  if (typeof url !== "string" || !URL.canParse(url)) return null;
  return url.replace(/\/api\/v4(\/.*)?$/, "");
}
