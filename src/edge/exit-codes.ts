/** What the edge process tells its supervisor by its end. */
export const EDGE_EXIT = {
  stopped: 0,
  failed: 1,
  wrongWords: 2,
  locked: 3,
  addressInUse: 4,
  addressDenied: 5,
  addressUnavailable: 6,
} as const;
