/** How the runtime answers when it does not answer with a result: always JSON `{"error": sentence}`, always with the pod's own headers. */
import type { FastifyReply } from 'fastify';
import { NOT_ADMITTED, RESPONSE_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';
import type { Phase } from '../admission/decide-admission.ts';

const SENTENCES: Readonly<Record<NotAdmitted, string>> = {
  WrongPod: 'This is not the pod that the request names.',
  LimitReached: 'This pod has as many requests, or bytes of them, as it may have.',
  Draining: 'This pod is ending and takes no new request.',
  NotReady: 'The model is still being loaded.',
};

export function sendError(reply: FastifyReply, status: number, message: string): void {
  reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ error: message }));
}

/** The request was not begun, so it may be sent elsewhere. */
export function sendRefusal(reply: FastifyReply, reason: NotAdmitted, phase: Phase): void {
  closeWhenDraining(reply, phase);
  reply.header(RESPONSE_HEADERS.notAdmitted, reason);
  sendError(reply, NOT_ADMITTED[reason], SENTENCES[reason]);
}

/** A draining pod lets go of its connections with each answer: closing the server would otherwise wait for them to time out. */
export function closeWhenDraining(reply: FastifyReply, phase: Phase): void {
  if (phase === 'Draining') reply.header('connection', 'close');
}
