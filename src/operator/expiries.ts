// How long signed metadata is good for: long where keys are offline, short where an attacker would want to freeze time.

export interface Expiries {
  readonly rootMs: number;
  readonly targetsMs: number;
  readonly snapshotMs: number;
  readonly timestampMs: number;
}

const day = 24 * 3600 * 1000;

export const defaultExpiries: Expiries = {
  rootMs: 365 * day,
  targetsMs: 90 * day,
  snapshotMs: 7 * day,
  timestampMs: 7 * day,
};
