import { z } from 'zod';

export const Contact = z.object({
  name: z.string().min(1),
  email: z.string().email(),
  phone: z.string().optional(),
  address: z.string().optional(),
  birthDate: z.coerce.date().optional(),
});

export function verify(input) {
  const result = Contact.safeParse(input);
  return result.success ? { contact: result.data } : { problems: result.error.issues };
}

export function sign(contact, author) {
  return { ...contact, signedBy: author, signedAt: new Date().toISOString() };
}
