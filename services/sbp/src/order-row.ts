import type { RowDataPacket } from 'mysql2/promise';
import type { Grant } from '@kopeck/core/event';
import type { Creation, Order } from './order.ts';
import type { OrderStatus, ProviderCode } from './provider.ts';

interface Row extends RowDataPacket {
  readonly order_id: string;
  readonly kopecks: string | number;
  readonly provider: ProviderCode;
  readonly attempt_id: string;
  readonly creation: Creation;
  readonly lease_until: Date;
  readonly payment_id: string | null;
  readonly qrc_id: string | null;
  readonly link: string | null;
  readonly expires_at: Date | null;
  readonly status: OrderStatus;
  readonly created_at: Date;
  readonly paid_at: Date | null;
  readonly next_look_at: Date | null;
  readonly description: string | null;
  readonly return_url: string | null;
  readonly grants: string;
  readonly pay_token: string | null;
  readonly operation_id: string | null;
}

export function orderOf(packet: RowDataPacket): Order {
  const row = packet as Row;
  return {
    orderId: row.order_id,
    kopecks: BigInt(row.kopecks),
    provider: row.provider,
    attemptId: row.attempt_id,
    creation: row.creation,
    leaseUntil: row.lease_until,
    paymentId: row.payment_id,
    qrcId: row.qrc_id,
    link: row.link,
    expiresAt: row.expires_at,
    status: row.status,
    createdAt: row.created_at,
    paidAt: row.paid_at,
    nextLookAt: row.next_look_at,
    description: row.description,
    returnUrl: row.return_url,
    grants: JSON.parse(row.grants) as Grant[],
    payToken: row.pay_token,
    operationId: row.operation_id,
  };
}
