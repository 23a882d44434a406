import { mailer } from './mailer'

const ORIGIN = process.env.ORIGIN

export async function sendConfirmation(to: string, confirmationToken: string): Promise<void> {
  const link = `${ORIGIN}/confirm-email?token=${encodeURIComponent(confirmationToken)}`
  await mailer.send({ to, subject: 'Confirm your address', text: `Open ${link} within a day.` })
}

export async function sendPasswordReset(to: string, resetToken: string): Promise<void> {
  const link = new URL('/password/reset', ORIGIN)
  link.searchParams.append('token', resetToken)
  await mailer.send({ to, subject: 'Choose a new password', text: link.toString() })
}
