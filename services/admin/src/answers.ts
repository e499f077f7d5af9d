import type { Failure, Refresh, Refusal } from './refresh.ts';

/** One answer in both forms: JSON, and the plain text that older callers compare with. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly text: string;
}

export const BAD_ID: AdminAnswer = {
  status: 400,
  body: { error: 'invalid_purchase_id' },
  text: 'Invalid purchase ID format',
};

/** The text tells a missing key from a wrong one; neither says anything about the right one. */
export function unauthorised(hasKey: boolean): AdminAnswer {
  return {
    status: 401,
    body: { error: 'unauthorized' },
    text: hasKey ? 'Invalid API key' : 'Unauthorized',
  };
}

export function answerForRefresh(outcome: Refresh | Refusal): AdminAnswer {
  switch (outcome.result) {
    case 'refused':
      return REFUSALS[outcome.error];
    case 'stale':
    case 'failed':
      return failed(outcome);
    default: {
      const { result, servers, version } = outcome;
      const body = { result, links: linksOf(outcome), servers, version };
      return { status: 200, body, text: 'Configs updated successfully' };
    }
  }
}

/** How many links the purchase has now, kept ones among them. */
export function linksOf({ servers }: Refresh): number {
  return servers.reduce((sum, { links }) => sum + links, 0);
}

const REFUSALS: Readonly<Record<Refusal['error'], AdminAnswer>> = {
  purchase_not_found: refusal(404, 'purchase_not_found', 'Purchase not found'),
  purchase_inactive: refusal(409, 'purchase_inactive', 'Purchase is not active'),
  no_subscription: refusal(409, 'no_subscription', 'Purchase has no subscription ID'),
  refresh_in_progress: {
    ...refusal(409, 'refresh_in_progress', 'Update is already in progress'),
    headers: { 'Retry-After': '5' },
  },
};

function refusal(status: number, error: Refusal['error'], text: string): AdminAnswer {
  return { status, body: { error }, text };
}

/** None of these is 200, although old links are still served: the operator must see dead panels. */
const FAILURE_STATUS: Readonly<Record<Failure, number>> = {
  no_server: 502,
  subscriber_missing: 502,
  panel_auth: 502,
  panel_protocol: 502,
  panel_unreachable: 502,
  panel_timeout: 504,
};

function failed({ result, error, servers }: Extract<Refresh, { error: Failure }>): AdminAnswer {
  return {
    status: FAILURE_STATUS[error],
    body: { result, error, cached: result === 'stale', servers },
    text: 'Failed to update configs',
  };
}
