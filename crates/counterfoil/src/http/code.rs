//! Every code an error can have: the table that docs/reference/error-codes.md is made of.

use http::StatusCode;

macro_rules! codes {
    ($($name:ident, $status:ident, $code:literal, $title:literal;)*) => {
        /// Every code an error can have. They never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// All of them, for the reference.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)* } }

            /// The status it comes with.
            pub const fn status(self) -> StatusCode { match self { $(Self::$name => StatusCode::$status,)* } }

            /// What it means.
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }
        }
    };
}

codes! {
    Malformed, BAD_REQUEST, "malformed", "The request cannot be read.";
    AmbiguousCredentials, BAD_REQUEST, "ambiguous_credentials", "The request carries more than one credential.";
    InvalidCredentials, UNAUTHORIZED, "invalid_credentials", "The email or the password is wrong.";
    InvalidCode, UNAUTHORIZED, "invalid_code", "The code is wrong, or has been used before.";
    PasskeyUnknown, UNAUTHORIZED, "passkey_unknown", "This passkey is not known here; it may have been removed.";
    PasskeyInvalid, UNAUTHORIZED, "passkey_invalid", "The passkey's answer is not good.";
    LegacyTokenInvalid, UNAUTHORIZED, "legacy_token_invalid", "The token of the earlier system is not valid; sign in.";
    LegacyTokenUsed, CONFLICT, "legacy_token_used", "The token of the earlier system has been exchanged; refresh, or sign in.";
    LegacyClosed, GONE, "legacy_closed", "Tokens of an earlier system are not taken here, or not any more; sign in.";
    LoginExpired, UNAUTHORIZED, "login_expired", "This took too long, or was finished elsewhere; begin again.";
    PasskeysUnavailable, CONFLICT, "passkeys_unavailable", "Browsers allow no passkeys at this server's address.";
    PasskeyTaken, CONFLICT, "passkey_taken", "This passkey is known already.";
    PasskeyLimit, CONFLICT, "passkey_limit", "The account has as many passkeys as it may have.";
    LastCredential, CONFLICT, "last_credential", "It is the last way to sign in to the account.";
    LastAdministrator, CONFLICT, "last_administrator", "Nobody else is an administrator.";
    ClockOff, UNPROCESSABLE_ENTITY, "clock_off", "The code is of another time: the clock of the device that shows it is off.";
    TokenMissing, UNAUTHORIZED, "token_missing", "The request carries no credential.";
    TokenExpired, UNAUTHORIZED, "token_expired", "The access token has expired; refresh it.";
    TokenInvalid, UNAUTHORIZED, "token_invalid", "The token is not valid.";
    TokenStale, UNAUTHORIZED, "token_stale", "Roles have changed since the token was made; refresh it.";
    SessionRevoked, UNAUTHORIZED, "session_revoked", "The session has ended.";
    RefreshMissing, UNAUTHORIZED, "refresh_missing", "The request carries no refresh token.";
    RefreshInvalid, UNAUTHORIZED, "refresh_invalid", "The refresh token is not valid, or its session has ended.";
    RefreshReuse, UNAUTHORIZED, "refresh_reuse", "A spent refresh token was used again; its session has been ended.";
    ProofRequired, UNAUTHORIZED, "proof_required", "The session or the token is bound to a key, and the proof of it is missing.";
    UseDpopNonce, BAD_REQUEST, "use_dpop_nonce", "Make the proof anew, with the nonce of this answer's DPoP-Nonce header.";
    InvalidDpopProof, BAD_REQUEST, "invalid_dpop_proof", "The proof of possession is not one, or not for this request.";
    RefreshSuperseded, CONFLICT, "refresh_superseded", "A newer refresh token is on its way; try once more.";
    ReauthenticationRequired, UNAUTHORIZED, "reauthentication_required", "Sign in again to do this.";
    CrossSite, FORBIDDEN, "cross_site", "The request does not come from this application's own pages.";
    RiskDenied, FORBIDDEN, "risk_denied", "A rule of this server refuses what is unusual like this.";
    Forbidden, FORBIDDEN, "forbidden", "You may not do this.";
    RegistrationClosed, FORBIDDEN, "registration_closed", "Accounts are made by invitation here.";
    UserLimit, FORBIDDEN, "user_limit", "There are as many accounts here as there may be.";
    InviteInvalid, FORBIDDEN, "invite_invalid", "The invitation is unknown, used up or over.";
    GuardUnknown, UNAUTHORIZED, "guard_unknown", "The guard's credential is not known here.";
    ApiKeyInvalid, UNAUTHORIZED, "api_key_invalid", "The API key is unknown, over or taken back.";
    KeyTooNew, CONFLICT, "key_too_new", "The next key has not been published for long enough to sign.";
    NameTaken, CONFLICT, "name_taken", "There is one of that name.";
    NotFound, NOT_FOUND, "not_found", "There is no such thing.";
    MethodNotAllowed, METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not take that method.";
    MailUnavailable, CONFLICT, "mail_unavailable", "This server sends no mail, or not for this.";
    LinkInvalid, GONE, "link_invalid", "The link has been used, or is over; ask for a new one.";
    LinkOtherBrowser, FORBIDDEN, "link_other_browser", "The link counts in the browser in which it was asked for.";
    EmailTaken, CONFLICT, "email_taken", "There is an account with this address.";
    StreamLimit, CONFLICT, "stream_limit", "There are as many event streams as there may be.";
    TooLarge, PAYLOAD_TOO_LARGE, "too_large", "The body is too large.";
    UnsupportedMediaType, UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be JSON.";
    PasswordRejected, UNPROCESSABLE_ENTITY, "password_rejected", "The password is not acceptable.";
    RateLimited, TOO_MANY_REQUESTS, "rate_limited", "Too many attempts; wait a moment.";
    Overloaded, SERVICE_UNAVAILABLE, "overloaded", "The server is busy; try again in a moment.";
    Internal, INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; it has been logged.";
}
