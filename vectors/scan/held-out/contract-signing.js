import { PDFDocument } from 'pdf-lib';
import { signer } from './signer.js';

export async function signContract(bytes, tenant) {
  const document = await PDFDocument.load(bytes);
  const page = document.getPages().at(-1);
  page.drawText(`${tenant.name}, ${tenant.address}`, { x: 50, y: 80 });
  return signer.sign(await document.save(), {
    name: tenant.name,
    email: tenant.email,
    reason: 'lease',
  });
}
