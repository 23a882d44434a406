// A file that is gone from the source must not live on in what is tested or published.
import { rmSync } from 'node:fs'

rmSync(new URL('../dist/', import.meta.url), { recursive: true, force: true })
