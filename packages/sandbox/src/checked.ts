import type { RequestHandler } from 'express';
import type Joi from 'joi';

/** A control that does what its checked body says. Null is a 404: there is nothing of that id. */
export function checked<T>(
  schema: Joi.ObjectSchema<T>,
  act: (value: T) => Promise<object | null> | object | null,
): RequestHandler {
  return async (request, response) => {
    const { value, error } = schema.validate(request.body ?? {});
    if (error !== undefined) return void response.status(400).json({ error: error.message });
    const result = await act(value);
    if (result === null) return void response.status(404).json({ error: 'not_found' });
    response.json(result);
  };
}
