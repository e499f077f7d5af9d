import { expect, test } from 'vitest';
import { epnPostback } from '../src/epn/epn.ts';

const postback = (fields = {}): URL =>
  new URL(
    epnPostback({
      origin: 'http://127.0.0.1:8090',
      token: 'token',
      orderNumber: 'ORDER-001',
      status: 'completed',
      fields,
    }),
  );

test('the EPN sender fills in every macro', () => {
  const { pathname, searchParams } = postback();
  expect(pathname).toBe('/webhook/token');
  expect([...searchParams.keys()]).toHaveLength(22);
  expect(Object.fromEntries(searchParams)).toMatchObject({
    order_number: 'ORDER-001',
    uniq_id: 'EPN-ORDER-001',
    order_status: 'completed',
    revenue: '1500',
    commission_fee: '100',
  });
});

test('the EPN sender says other things where it is told to, and nothing where it is told so', () => {
  const { searchParams } = postback({ offer_name: 'A&B #1', currency: undefined });
  expect(searchParams.get('offer_name')).toBe('A&B #1');
  expect(searchParams.has('currency')).toBe(false);
});
