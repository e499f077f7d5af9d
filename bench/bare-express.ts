import express, { type RequestHandler } from 'express';

// The baseline: Express with one handler that keeps nothing. It says its URL on stdout.

const app = express();
const accept: RequestHandler = (_request, response) => {
  response.json({
    status: 'accepted',
    id: 'epn.affiliate.waiting.0000000000000000000000000000000000000000',
  });
};
app.get('/webhook/:token', accept);
app.post('/webhook/*path', express.raw({ type: () => true }), accept);
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  console.log(`http://127.0.0.1:${address.port}`);
});
