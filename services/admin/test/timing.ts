/** Deadlines and pauses of tests, where production has seconds. */
export const SHORT = { answerMs: 1_500, purchaseMs: 3_000 };
export const QUICK = {
  backoffMs: 20,
  lockMs: 2_000,
  stalledMs: 500,
  sweepMs: 500,
  followMs: 100,
  forgetMs: 50,
  streamMs: 25_000,
};
