import type { Story } from './story.ts';

/** Acquirers of SBP: `sbp-provider-away:<provider>`, `sbp-refund-failed:<order>` … */
export const SBP_STORIES: Readonly<Record<string, Story>> = {
  'sbp-provider-away': {
    title: 'an acquirer of SBP does not answer',
    what: 'Five calls in a row have failed, or its certificate is not believed. It is left alone and tried with one call every ten seconds.',
    money:
      'No new QR codes can be made with it. Codes that are out there can be paid, and what is paid is booked when it answers again: nothing is lost.',
    todo: 'See whether the acquirer has trouble, whether this host reaches it, and whether SBP_EXTRA_CA_FILE names the root of its certificate. Meanwhile another provider can make the codes: SBP_PROVIDER.',
  },
  'sbp-refund-failed': {
    title: 'a refund has failed',
    what: 'A shop has asked for a refund, and the acquirer has refused it. It is not sent again by itself.',
    money: 'The payer has not got this money back, and the books do not say so either.',
    todo: "Find the order by the refund's key (table sbp_refunds) and the reason in the acquirer's cabinet: often the account holds too little. Then ask for the refund again, with another refundId, or give the money back in the cabinet.",
    over: 'Another refund of this order has come through and is booked.',
  },
  'sbp-refund-unclear': {
    title: 'nobody knows what came of a refund',
    what: "A refund was sent, the acquirer's answer was lost, and for an hour nothing can be learnt. It is never sent twice.",
    money: 'The payer may have got the money back or not; the books say not.',
    todo: "Look into the acquirer's cabinet. If the money went back, only the books do not know: they hear of it when the acquirer tells. If it did not, give it back there.",
    over: 'What came of it is known and booked, or two months have passed.',
  },
  'sbp-refund-untold': {
    title: 'a part of a payment was given back in the cabinet of an acquirer',
    what: 'The acquirer says that a part of a payment went back, which no shop had asked for, and does not say how much.',
    money: 'The payer has that money; the books still count all of the payment.',
    todo: "Find the order by its attempt (table sbp_orders) and the sum in the acquirer's cabinet, and tell whoever keeps the accounts. Give refunds through Kopeck: those are booked.",
    over: 'The rest went back too, and all of it is booked.',
  },
};
