import type { Story } from './story.ts';

/** What the operator has asked for, and what partners' own services have trouble with. */
export const OPERATOR_STORIES: Readonly<Record<string, Story>> = {
  'test-alert': {
    title: 'this is a test',
    what: 'Somebody has asked for it with kopeck test-alert. Nothing is wrong.',
    money: 'Nothing.',
    todo: 'Nothing. That you read this means that alerts reach you.',
    over: 'Nothing. A real incident is told when it ends in just this way.',
  },
  'epn-statistics': {
    title: 'the statistics of EPN cannot be read',
    what: 'EPN does not answer, or its refresh token is no longer accepted. Postbacks are not affected.',
    money:
      'Commissions whose postback was lost are not found until the statistics can be read again.',
    todo: 'Look into the log of epn. If the token is refused, get a new one in the cabinet of EPN and set EPN_STATS_REFRESH_TOKEN.',
  },
};
