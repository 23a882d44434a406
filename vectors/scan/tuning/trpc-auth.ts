import { TRPCError } from '@trpc/server'
import { sign } from 'jsonwebtoken'
import { z } from 'zod'
import { publicProcedure, router } from '../trpc'

const DAY = 60 * 60 * 24

export const authRouter = router({
  signIn: publicProcedure
    .input(z.object({ email: z.string().email(), password: z.string().min(8) }))
    .mutation(async ({ input, ctx }) => {
      const person = await ctx.people.verify(input)
      if (!person) throw new TRPCError({ code: 'UNAUTHORIZED' })
      const accessToken = sign({ sub: person.id }, ctx.env.ACCESS_SECRET, {
        expiresIn: DAY, // expect: token-lives-too-long
        issuer: 'app',
        audience: 'app',
      })
      return { accessToken }
    }),
})
