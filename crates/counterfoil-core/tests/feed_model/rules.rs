//! The real machines, made from a state and read back into it, and the rules that can be taken out of them, each by a
//! step before or after the real one.

use crate::model::{Feed, TICK};
use crate::world::{GUARDS, Guard, KEY, Lease, Page, Place, Reply, What, World};
use counterfoil_core::feed::{How, Journal, Leases, Peer, Peers, Policy};
use counterfoil_core::{Sid, Timestamp, UserId};
use counterfoil_guard::Subject;
use counterfoil_guard::feed::Follower;
use counterfoil_guard::{Answer, Claims, Clocks, Cursor, Entry, Flat, Instance, Jti, Kid, LogId, Target, Tick};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

/// The moment at which everything happens, by every clock: ages are counted from it.
const NOW: i64 = 1_800_000_000_000;
/// When entries leave, from now.
const UNTIL: i64 = 960_000;
/// The nonce that a guard waits for, and any other.
const NONCES: [&str; 2] = ["now", "then"];
/// A guard that is no more.
pub(crate) const GHOST: usize = GUARDS;

/// The rule that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// None: the design as it is.
    Nothing,
    /// The guard accepts whatever its lease.
    NoLeaseCheck,
    /// The lease is counted from the moment at which the answer came.
    LeaseFromReceiving,
    /// The guard takes the answer to any of its polls.
    NonceNotChecked,
    /// The guard takes an older state of the log in, and stands there again.
    CursorGoesBack,
    /// ... and what it knew beyond it is gone.
    OlderReplaces,
    /// The guard acknowledges what has come before it is in force.
    AcknowledgesFirst,
    /// ... and extends its lease as well.
    TrustsFirst,
    /// Leases are kept by credential.
    PerCredential,
    /// A restarted authority believes its empty table.
    TrustAfterRestart,
    /// ... or waits only as long as its own, shorter S asks.
    PromisedIgnored,
    /// A cursor of another log acknowledges by its number.
    ForeignAcknowledges,
    /// A restored log goes by the same id.
    KeepsLogId,
    /// The log is read before the lease is in the table.
    ReadsFirst,
    /// An answer from a copy counts as if the log had just been read.
    CopyIsFresh,
    /// A later grant from an earlier moment shortens what the table says.
    UntilGoesBack,
    /// A replica looks at its own table alone.
    NoFloor,
    /// A replica's own copy may lag behind what it reports.
    OwnHeadIgnored,
    /// A restarted replica publishes its floor at once.
    FloorAfterRestart,
    /// A replica reads the log before it is in the registry, and not again.
    ReadsBeforeRegistering,
    /// A replica leaves the registry while leases of its are alive.
    LeavesEarly,
}

fn at(ticks: i8) -> Tick {
    Tick::from_millis(NOW + i64::from(ticks) * i64::from(TICK))
}

fn span(ticks: i8) -> Duration {
    Duration::from_millis(u64::try_from(i64::from(ticks) * i64::from(TICK)).expect("not negative"))
}

fn ticks(tick: Tick) -> i8 {
    let millis = tick.as_millis() - NOW;
    assert_eq!(millis % i64::from(TICK), 0, "the authority's moments are whole ticks");
    i8::try_from(millis / i64::from(TICK)).expect("times of the model are near")
}

/// So many milliseconds from now by a guard's clocks.
fn clocks(millis: i64) -> Clocks {
    Clocks { boot: Tick::from_millis(NOW + millis), wall: Timestamp::from_millis(NOW + millis) }
}

fn instance(guard: usize) -> Instance {
    Instance::from_bytes([u8::try_from(guard).expect("few guards") + 1; 16])
}

fn sid(what: What) -> Sid {
    Sid::from_bytes([what; 16])
}

static KID: LazyLock<Kid> = LazyLock::new(|| "key".parse().expect("a key id"));
/// Signs the sessions' tokens, and is never revoked.
static SOUND: LazyLock<Kid> = LazyLock::new(|| "sound".parse().expect("a key id"));

fn entry(seq: u8, what: What) -> Entry {
    let target = if what == KEY { Target::Key(KID.clone()) } else { Target::Session(sid(what)) };
    Entry { seq: u64::from(seq), until: Timestamp::from_millis(NOW + UNTIL), what: target }
}

/// What a token says.
static CLAIMS: LazyLock<[Claims; 3]> = LazyLock::new(|| {
    [0, 1, 2].map(|what| Claims {
        iss: String::new(),
        sub: Subject::User(UserId::from_bytes([1; 16])),
        aud: String::new(),
        client_id: String::new(),
        exp: NOW / 1000 + 300,
        iat: NOW / 1000,
        nbf: None,
        jti: Jti::from_bytes([9; 16]),
        sid: sid(what),
        auth_time: NOW / 1000,
        acr: String::new(),
        amr: Vec::new(),
        roles: Vec::new(),
        claims_version: 0,
        scope: None,
        act: None,
        bound_to: None,
        status: None,
        private: BTreeMap::new(),
    })
});

/// A journal that holds what stands at this place; they are few, and made once.
pub(crate) fn journal(place: Place, forgot: bool) -> &'static Journal {
    static ALL: LazyLock<Vec<Journal>> = LazyLock::new(|| {
        let places = (0..=1).flat_map(|log| (0..64).map(move |code| Place { log, code }));
        places.flat_map(|place| [false, true].map(|forgot| make(place, forgot))).collect()
    });
    &ALL[(usize::from(place.log) * 64 + usize::from(place.code)) * 2 + usize::from(forgot)]
}

fn make(place: Place, forgot: bool) -> Journal {
    let mut journal = Journal::new(LogId::from_bytes([place.log; 16]), None, Vec::new());
    let entries: Vec<_> = (1..).zip(place.targets()).map(|(seq, what)| entry(seq, what)).collect();
    journal.append(&entries);
    if forgot {
        journal.forget_before(Timestamp::from_millis(NOW + UNTIL));
    }
    journal
}

fn cursor(place: Place) -> Cursor {
    journal(place, false).cursor()
}

/// What a replica at `place` reads for a guard that stands at `after`.
pub(crate) fn read(place: Place, forgot: bool, after: Option<Place>) -> Page {
    let page = journal(place, forgot).after(after.map(cursor));
    assert_eq!(page.cursor, cursor(place));
    let entries = page.entries.iter().fold(0, |bits, it| {
        let what = (0..3).find(|what| entry(0, *what).what == it.what).expect("a target of the model");
        bits | 1 << what
    });
    Page { place, snapshot: page.snapshot, entries }
}

impl Feed {
    fn policy(&self, shorter: bool) -> Policy {
        let (staleness, margin) = self.policy_of(shorter);
        Policy { max_staleness: span(staleness), margin: span(margin) }
    }

    /// What a poll's cursor acknowledges at a replica that stands at `place`.
    pub(crate) fn acknowledged(&self, place: Place, forgot: bool, after: Option<Place>) -> u8 {
        let known = after.and_then(|after| journal(place, forgot).acknowledged(cursor(after)));
        match (self.rules, after) {
            (Mutation::ForeignAcknowledges, Some(after)) if after.log != place.log => after.len(),
            _ => known.map_or(0, |seq| u8::try_from(seq).expect("logs of the model are short")),
        }
    }

    /// Whose row it is.
    fn row_of(&self, guard: usize) -> Instance {
        instance(if self.rules == Mutation::PerCredential { 0 } else { guard })
    }

    fn leases(&self, world: &World, replica: usize) -> Leases {
        let it = &world.replicas[replica];
        let (staleness, margin) = self.policy_of(it.shorter);
        let longest = staleness + margin;
        let mut leases = Leases::new(self.policy(it.shorter), Duration::ZERO, at(it.alone - longest));
        let rows = world.slots.iter().map(|slot| slot.leases[replica]).chain([it.ghost]);
        for (guard, row) in rows.enumerate() {
            if let Some(row) = row {
                leases.grant(self.row_of(guard), "api", u64::from(row.acknowledged), at(row.left - longest));
            }
        }
        leases
    }

    fn keep(&self, world: &mut World, replica: usize, leases: &Leases) {
        let row = |guard| {
            let (_, row) = leases.live(at(0)).find(|(it, _)| **it == self.row_of(guard))?;
            let acknowledged = u8::try_from(row.acknowledged).expect("logs of the model are short");
            Some(Lease { acknowledged, left: ticks(row.until) })
        };
        for guard in 0..self.guards {
            world.slots[guard].leases[replica] = row(guard);
        }
        world.replicas[replica].ghost = row(GHOST).filter(|_| self.rules != Mutation::PerCredential);
    }

    /// A poll has come in.
    pub(crate) fn acknowledge(&self, world: &mut World, replica: usize, guard: usize, acknowledged: u8) {
        let mut leases = self.leases(world, replica);
        leases.acknowledge(self.row_of(guard), u64::from(acknowledged));
        self.keep(world, replica, &leases);
    }

    /// A lease from `x` ticks ago.
    pub(crate) fn grant_lease(&self, world: &mut World, replica: usize, guard: usize, (acknowledged, x): (u8, i8)) {
        if self.rules == Mutation::UntilGoesBack {
            world.slots[guard].leases[replica] = None;
        }
        let mut leases = self.leases(world, replica);
        leases.grant(self.row_of(guard), "api", u64::from(acknowledged), at(-x));
        self.keep(world, replica, &leases);
    }

    /// What a replica says by its own table.
    pub(crate) fn effective(&self, world: &World, replica: usize, seq: u8, age: i8) -> Option<How> {
        self.leases(world, replica).effective(u64::from(seq), at(-age), at(0))
    }

    /// The least that the guards have acknowledged which have live leases of this replica.
    pub(crate) fn least_acknowledged(&self, world: &World, replica: usize) -> Option<u8> {
        let leases = self.leases(world, replica);
        let least = leases.live(at(0)).map(|(_, row)| row.acknowledged).min();
        least.map(|least| u8::try_from(least).expect("logs of the model are short"))
    }

    /// The floor of a replica that knows the log up to `head`.
    pub(crate) fn floor(&self, world: &World, replica: usize, head: u8) -> Option<u8> {
        if self.rules == Mutation::FloorAfterRestart {
            return Some(self.least_acknowledged(world, replica).map_or(head, |least| least.min(head)));
        }
        let floor = self.leases(world, replica).floor(u64::from(head), at(0));
        floor.map(|floor| u8::try_from(floor).expect("logs of the model are short"))
    }

    /// Whether the other replicas, by their floors, all have this entry.
    pub(crate) fn all_have(&self, floors: impl Iterator<Item = u8>, seq: u8) -> bool {
        let peer = |(id, floor): (u8, u8)| Peer {
            id: [id; 16],
            beat: 1,
            floor: Some(u64::from(floor)),
            max_staleness: span(self.staleness),
            verifiers: 0,
        };
        let found: Vec<Peer> = (0..).zip(floors).map(peer).collect();
        let mut peers = Peers::default();
        peers.look((at(0), at(0)), &found);
        peers.all_have(u64::from(seq))
    }

    /// For how many ticks a process that starts now says nothing early.
    pub(crate) fn alone_after_start(&self, shorter: bool) -> i8 {
        let promised = if self.rules == Mutation::PromisedIgnored { Duration::ZERO } else { span(self.staleness) };
        let leases = Leases::new(self.policy(shorter), promised, at(0));
        if self.rules == Mutation::TrustAfterRestart {
            return 0;
        }
        ticks(leases.effective_by(at(-100)))
    }

    /// The guard takes an answer in, or puts it aside.
    pub(crate) fn take_in(&self, guard: &Guard, reply: Reply) -> Guard {
        let mut before = *guard;
        let behind = |it: &Place| it.log == reply.page.place.log && it.len() > reply.page.place.len();
        let goes_back = matches!(self.rules, Mutation::CursorGoesBack | Mutation::OlderReplaces);
        if goes_back && let Some(place) = before.cursor.as_mut().filter(|it| behind(it)) {
            place.code = 0;
            if self.rules == Mutation::OlderReplaces {
                before.index = 0;
            }
        }
        if self.rules == Mutation::LeaseFromReceiving {
            before.asked = before.asked.map(|_| 0);
        }
        let current = reply.current || self.rules == Mutation::NonceNotChecked;
        let (staleness, margin) = self.policy_of(reply.shorter);
        let millis = |ticks: i8| u64::try_from(span(ticks).as_millis()).expect("short");
        let real = Answer {
            held_ms: i64::from(reply.held) * i64::from(TICK),
            max_staleness_ms: millis(staleness),
            margin_ms: millis(margin),
            ..answer(NONCES[usize::from(!current)], reply.page)
        };
        let mut follower = follower(&before);
        if follower.receive(&real, clocks(0)).is_err() {
            return *guard;
        }
        assert_eq!(follower.cursor(), Some(cursor(reply.page.place)));
        let end = (0..i16::MAX).find(|millis| follower.check_lease(clocks(i64::from(*millis))).is_err());
        let left = end.expect("every lease ends");
        let after = Guard { cursor: Some(reply.page.place), asked: None, index: index(&follower), left, ..before };
        let late = before.late | after.index & !before.index;
        match self.rules {
            Mutation::AcknowledgesFirst if late > 0 => Guard { late, index: before.index, left: before.left, ..after },
            Mutation::TrustsFirst if late > 0 => Guard { late, index: before.index, ..after },
            _ => after,
        }
    }

    /// Whether the lease is alive.
    pub(crate) fn trusts(&self, guard: &Guard) -> bool {
        self.rules == Mutation::NoLeaseCheck && guard.cursor.is_some() || follower(guard).check_lease(clocks(0)).is_ok()
    }

    /// Whether a token that the entry hits would be accepted now. What the index holds has been read off the real one.
    pub(crate) fn accepts(&self, guard: &Guard, what: What) -> bool {
        guard.index >> what & 1 == 0 && self.trusts(guard)
    }
}

fn follower(guard: &Guard) -> Follower {
    let mut follower = Follower::new(instance(0));
    if let Some(place) = guard.cursor {
        follower.poll(NONCES[1].to_owned(), clocks(0));
        let page = Page { place, snapshot: true, entries: guard.index };
        let past = Answer { held_ms: i64::from(guard.left), ..answer(NONCES[1], page) };
        follower.receive(&past, clocks(0)).expect("the answer to the poll under way");
    }
    if let Some(age) = guard.asked {
        let sent = -i64::from(Feed::tick_of(guard.rate)) * i64::from(age);
        follower.poll(NONCES[0].to_owned(), clocks(sent));
    }
    follower
}

/// The cursor that the guard's next poll carries.
pub(crate) fn poll(guard: &Guard) -> Option<Place> {
    let poll = follower(guard).poll(NONCES[0].to_owned(), clocks(0));
    assert_eq!(poll.after, guard.cursor.map(cursor));
    guard.cursor
}

/// What is left in the index once everything is past its time that can be.
pub(crate) fn forget(guard: &Guard) -> u8 {
    let mut follower = follower(guard);
    follower.forget(clocks(UNTIL));
    index(&follower)
}

fn is_revoked(follower: &Follower, what: What) -> bool {
    let index = follower.index();
    if what == KEY { index.key_is_revoked(&KID) } else { index.check(&CLAIMS[usize::from(what)], &SOUND).is_err() }
}

fn index(follower: &Follower) -> u8 {
    (0..3).filter(|what| is_revoked(follower, *what)).fold(0, |bits, what| bits | 1 << what)
}

fn answer(nonce: &str, page: Page) -> Answer {
    let mut answer = Answer {
        instance: instance(0),
        nonce: nonce.to_owned(),
        cursor: cursor(page.place),
        snapshot: page.snapshot,
        held_ms: 0,
        now: NOW,
        max_staleness_ms: 0,
        margin_ms: 0,
        keys_etag: String::new(),
        sessions: Flat::default(),
        tokens: Flat::default(),
        stale: Flat::default(),
        keys: Vec::new(),
    };
    for what in (0..3).filter(|what| page.entries >> what & 1 == 1) {
        answer.push(&entry(page.place.len(), what));
    }
    answer
}
