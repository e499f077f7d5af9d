const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** While the payer is likely to be paying: up to which age the state is read, and how often. */
const EAGER = [
  { untilAge: MINUTE, every: 5 * SECOND },
  { untilAge: 6 * MINUTE, every: 15 * SECOND },
] as const;
const PATIENT_EVERY = MINUTE;

/** A payment that was accepted in the last moment shows after the code has expired. */
const AFTER_EXPIRY = [MINUTE, 10 * MINUTE, HOUR, 24 * HOUR] as const;

/**
 * When an unpaid order is to be read next, counted from its age and not from the number of looks: a
 * service that was down for an hour goes on where it should be. Null: no more, it was read for the
 * last time a day after its end.
 */
export function nextLookAt(order: { createdAt: Date; expiresAt: Date }, now: Date): Date | null {
  const expiry = order.expiresAt.getTime();
  if (now.getTime() >= expiry) return firstAfter(now, expiry);

  const age = now.getTime() - order.createdAt.getTime();
  const every = EAGER.find(({ untilAge }) => age < untilAge)?.every ?? PATIENT_EVERY;
  return new Date(Math.min(now.getTime() + every, expiry + SECOND));
}

function firstAfter(now: Date, expiry: number): Date | null {
  const offset = AFTER_EXPIRY.find((ms) => expiry + ms > now.getTime());
  return offset === undefined ? null : new Date(expiry + offset);
}
