import { formatRoubles } from '@kopeck/core/roubles';
import type { PaymentRequest } from './payment-request.ts';
import type { SbpProvider } from './provider.ts';

/** What a provider cannot do, told before it is asked. Null: nothing. */
export function rangeProblem(
  { kopecks, ttlMinutes }: PaymentRequest,
  { code, limits }: SbpProvider,
): string | null {
  const { minKopecks, maxKopecks, minTtlMinutes, maxTtlMinutes } = limits;
  if (kopecks < minKopecks || kopecks > maxKopecks) {
    return `Amount must be from ${formatRoubles(minKopecks)} to ${formatRoubles(maxKopecks)} with ${code}`;
  }
  if (ttlMinutes !== null && (ttlMinutes < minTtlMinutes || ttlMinutes > maxTtlMinutes)) {
    return `ttlMinutes must be from ${minTtlMinutes} to ${maxTtlMinutes} with ${code}`;
  }
  return null;
}

/** The configured life of a code, within what the provider offers. Milliseconds. */
export function ttlOf(minutes: number, { limits }: SbpProvider): number {
  return Math.min(Math.max(minutes, limits.minTtlMinutes), limits.maxTtlMinutes) * 60_000;
}
