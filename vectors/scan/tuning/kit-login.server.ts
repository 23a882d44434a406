import { fail, redirect, type Actions } from '@sveltejs/kit'
import { openSession } from '$lib/server/sessions'

export const actions: Actions = {
  default: async ({ request, cookies }) => {
    const form = await request.formData()
    const session = await openSession(String(form.get('email')), String(form.get('password')))
    if (!session) return fail(400, { failed: true })
    cookies.set('session', session.token, { path: '/', maxAge: 3600 })
    redirect(303, '/')
  },
}
