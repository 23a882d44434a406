// What was asked, answered and decided, as the checkers read it. Times are monotonic milliseconds, taken on one machine: `begin`
// before a request is sent or a verification starts, `end` after its answer has been read. So what `check.mjs` calls "after" was after.
//
// | kind          | says                                                                                                        |
// |---------------|-------------------------------------------------------------------------------------------------------------|
// | `register`    | an account was asked for: `email`, `status`                                                                 |
// | `signin`      | `email`, `status`, and `sid` when it is 200                                                                 |
// | `refresh`     | of `sid` with `token` (a fingerprint): `status`, `code`, `reason`, and whether it `rotated`                 |
// | `revoke`      | of `sid`, asked `by` its owner or an administrator: `status`, and `effective` when a receipt says so        |
// | `verify`      | `verifier` (a guard; a replica, or its gate) judged an access token of `sid`: `accepted`, or `code`         |
// | `replay`      | a thief has sent again what was sent with `proof`: `path`, `status`, `code`                                 |
// | `revoke user` | of all sessions of `email`, and a `ban` perhaps: `status`, and `effective`                                  |
// | `unban`       | of `email`: `status`                                                                                        |
// | `rotate`      | the signing key `from` makes place for the key `to`: `status`                                               |
// | `revoke key`  | of the signing key `kid`: `status`, and `effective`                                                         |
// | `ready`       | a load balancer has found `replica` in service, or no longer                                                |
// | `session`     | how `sid` stands at the end: `listed`, `ended`, `reason`                                                    |
// | `account`     | whether `email` can sign in at the end: `status`                                                            |
// | `key`         | in which `state` the signing key `kid` is at the end                                                        |
// | `lost`        | a replica says that its store was older than a token: an acknowledged rotation is gone                      |
//
// `status` 0 means that no answer came. `replica` says who was asked, `kid` which key has signed the token that was given or judged, and
// `proof` which proof of possession came with a request.

import { createHash } from "node:crypto";

export class History {
  events = [];

  add(event) {
    this.events.push(event);
    return event;
  }

  of(kind) {
    return this.events.filter((event) => event.kind === kind);
  }
}

/** Whether somebody has been told that it is done. */
export const acknowledged = ({ status }) => status >= 200 && status < 300;

/** The name of the key that has signed an access token. */
export const keyOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;

/** What stands for a token: enough to tell two apart, and worthless to whoever reads it. */
export const fingerprint = (token) => createHash("sha256").update(token).digest("base64url").slice(0, 10);
