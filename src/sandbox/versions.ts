/**
 * What exists in which GitLab, in one table. Everything that differs between versions asks here, so that a reader sees the whole
 * history at once. Source: GitLab's changelogs and the trees of 10.5, 12.7, 13.x, 15.x, 17.1, 18.9 and 19.1.
 */
const SINCE = {
  // Tokens, users and what every request meets.
  apiV3Gone: "11.0",
  readRepositoryScopeOnFiles: "11.6",
  deactivatedUsers: "12.4",
  pendingApproval: "13.5",
  createTokenForUser: "13.8",
  projectAccessTokens: "13.9",
  headCountsAsReading: "13.9",
  passwordExpiryBlocksApi: "14.0",
  tokenPrefix: "14.5",
  groupAccessTokens: "14.7",
  resourceTokenById: "14.10",
  tokenRevokeSelf: "15.0",
  tokenRevokeSelfAnyScope: "15.4",
  tokenFilters: "15.5",
  metadataEnterprise: "15.6",
  adminModeScope: "15.8",
  tokensMustExpire: "16.0",
  tokenRotate: "16.0",
  aiFeaturesScope: "16.0",
  frequentLastUse: "16.1",
  tokenFamilyRevocation: "16.3",
  createOwnToken: "16.5",
  tokenRotateExpiry: "16.6",
  tokenRotateSelf: "16.9",
  tokenAssociations: "17.4",
  metadataExternalProxyUrl: "17.6",
  dpop: "17.6",
  tokenSelfRefusesOauth: "17.8",
  selfRotateScope: "17.9",
  rateLimitHeadersAlways: "18.6",
  granularTokens: "18.10",
  granularScopesShown: "19.0",
  granularBoundaries: "19.0",
  projectsWithReadme: "11.4",
  hookBranchFilter: "11.3",
  readApiScope: "12.10",
  versionForReadUser: "12.9",
  memberLookupAll: "12.4",
  userStateTexts: "10.8",
  correlationHeaders: "13.1",
  rackAttackRetryAfter: "13.7",
  rackAttackRateLimit: "13.8",
  framedSshErrors: "12.4",
  writeRepositoryScope: "11.11",
  profileBelowDash: "13.0",
  sshKeyExpiry: "12.9",
  sshKeyUsageType: "15.7",
  archivedRefusesDeployKeys: "17.3",
  deployKeyNeedsMember: "17.5",
  deployKeysDieWithOwner: "18.8",
  tokenList: "13.6",
  webhookUserAgent: "13.1",
  configuredDefaultBranchInEmptyProject: "14.1",
  webhookEventUuid: "14.8",
  deployKeySha256: "14.1",
  deniedTextNamesTwoFactor: "14.1",
  ownPersonalProjectsAreOwner: "14.9",
  hookAlertStatus: "15.0",
  tokenById: "15.1",
  metadata: "15.2",
  tokenByIdAdmin404: "15.3",
  tokenSelf: "15.5",
  webhookInstance: "15.5",
  strictNewProjectPaths: "15.0",
  webhookUuid: "16.2",
  pushPayloadRefProtected: "16.2",
  deployKeyExpiry: "16.1",
  hookDeploymentAndReleaseEvents: "13.5",
  hookErrorsAreUnprocessable: "15.0",
  hookUrlVariables: "15.3",
  webhooksDisabledByDefault: "15.7",
  webhooksNotDisabledByDefault: "15.10",
  webhookBackoffFromOneMinute: "15.10",
  denyAllOutboundRequests: "15.10",
  silentMode: "15.11",
  hookEmojiEvents: "16.2",
  hookTokenEvents: "16.10",
  hookTest: "16.11",
  hookTestLimit: "17.0",
  hookTemplate: "17.0",
  hookUrlOptionalOnUpdate: "17.0",
  hookName: "17.1",
  hookTestOncePerUser: "17.1",
  hookCustomHeaders: "17.1",
  hookBranchFilterStrategy: "17.2",
  hookEvents: "17.3",
  hookEventResend: "17.4",
  webhookEventType: "10.7",
  mergeRequestAssignees: "11.11",
  mergeRequestStateId: "12.3",
  mergeRequestReferences: "12.7",
  mergeRequestDraft: "13.2",
  webhookUserEmail: "13.1",
  mergeRequestReviewers: "13.8",
  webhookUserId: "14.0",
  mergeRequestMergeUser: "14.7",
  noteTargetByClass: "15.0",
  webhookReviewers: "15.3",
  mergeRequestDetailedStatus: "15.6",
  mergeRequestDiffs: "15.7",
  mergeConflictUnprocessable: "16.0",
  mergeRequestPreparedAt: "16.1",
  webhookDraft: "16.3",
  mergeRequestImported: "17.2",
  mergeRequestMergeAfter: "17.7",
  webhookSystemAction: "18.4",
  hookFeatureFlagEvents: "17.5",
  hookVulnerabilityEvents: "17.8",
  webhookFailuresAlike: "17.11",
  hookErrorsAsSentence: "18.0",
  hookMilestoneEvents: "18.2",
  retryAfterOfLimits: "18.5",
  hookDeployTokenEvents: "19.0",
  webhookIdempotencyKey: "17.4",
  tokenDescription: "17.7",
  tokenLastUsedIps: "18.0",
  aiWorkflowsScope: "17.5",
  deniedTextNamesScopes: "18.0",
  hookSigningToken: "19.0",
} as const;

export type Feature = keyof typeof SINCE;

export interface Version {
  /** As GitLab says it, `18.9.0` or `18.9.0-ee`. */
  readonly text: string;
  has(feature: Feature): boolean;
}

/** Reads `18.9.0`, `18.9` or `18.9.0-ee`. Throws a `RangeError` for anything else. */
export function parseVersion(text: string): Version {
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(-ee|-pre)?$/.exec(text);
  if (!match) throw new RangeError(`no GitLab version: ${text} (expected something like 18.9.0)`);
  const [, major = "", minor = "", patch = "0", suffix = ""] = match;
  const rank = rankOf(Number(major), Number(minor));
  return {
    text: `${major}.${minor}.${patch}${suffix}`,
    has: (feature) => {
      const [sinceMajor = 0, sinceMinor = 0] = SINCE[feature].split(".").map(Number);
      return rank >= rankOf(sinceMajor, sinceMinor);
    },
  };
}

function rankOf(major: number, minor: number): number {
  return major * 1000 + minor;
}
