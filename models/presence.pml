/* Members come and go, some are refused because the channel is full, and an observer falls behind: it is told each join and each leave
   exactly once, and in the end the set is the truth.

   Member is a session with its subscription (one FIFO to the channel's home); Home is src/hub/presence_book.cc with home_channels.cc;
   Observer is a reader of the presence stream, which keeps no history: who fell behind is told a gap and takes a new snapshot.

   Bounds: MEMBERS, VISITS of each, ROOM changes on the way to the observer, MOST members at once. */

#ifndef MEMBERS
#define MEMBERS 2
#endif
#ifndef VISITS
#define VISITS 2
#endif
#ifndef MOST
#define MOST 1
#endif
#define ROOM 1

mtype = { ENTER, LEAVE, JOINED, LEFT, GAP };

/* Each visit is a session of its own: its number tells it from the one before. */
chan home[MEMBERS] = [2] of { mtype, byte };
chan feed = [ROOM] of { mtype, byte, byte };
byte visit[MEMBERS];
bool here[MEMBERS];

byte present[MEMBERS], count;       /* the visit that home holds; 0: none */
bool behind, asked;                 /* the observer's feed was full; it wants a snapshot */

byte believed[MEMBERS];             /* what the observer was told last */

proctype Member(byte m) {
end:
  do
  :: atomic { !here[m] && visit[m] < VISITS -> visit[m]++; here[m] = true; home[m]!ENTER(visit[m]) }
  /* A session that ends says so whether or not it was let in: it need not have heard. */
  :: atomic { here[m] && len(home[m]) < 2 -> here[m] = false; home[m]!LEAVE(visit[m]) }
  :: here[m] && visit[m] == VISITS -> break    /* stays */
  od
}

inline tell(what, m, v) {
  if
  :: !behind && len(feed) < ROOM -> feed!what(m, v)
  :: else -> behind = true
  fi
}

inline enter(m) {
  if
  :: present[m] == 0 && count < MOST -> present[m] = v; count++; tell(JOINED, m, v)
  :: present[m] != 0 || count == MOST         /* refused */
  fi
}

inline leave(m) {
  if
  :: present[m] == v -> present[m] = 0; count--; tell(LEFT, m, v)
#ifdef BUG_LEAVE_OF_SOMEBODY_NEVER_THERE
  :: present[m] != v -> tell(LEFT, m, v)
#else
  :: present[m] != v
#endif
  fi
}

/* A new snapshot instead of what was missed, in the feed's order. */
inline snapshot() {
  behind = false;
#ifndef BUG_NO_SNAPSHOT_AFTER_A_GAP
  feed!GAP(present[0], present[MEMBERS - 1])
#endif
}

active proctype Home() {
  byte v;
end:
  do
  :: d_step { home[0]?ENTER(v) -> enter(0); v = 0 }
  :: d_step { home[0]?LEAVE(v) -> leave(0); v = 0 }
  :: d_step { home[1]?ENTER(v) -> enter(1); v = 0 }
  :: d_step { home[1]?LEAVE(v) -> leave(1); v = 0 }
#ifdef BUG_LEAVE_OVERTAKES
  :: d_step { home[0]??LEAVE(v) -> leave(0); v = 0 }
#endif
  :: d_step { behind && len(feed) < ROOM -> snapshot() }
  od
}

active proctype Observer() {
  byte m, v;
end:
  do
  :: d_step { feed?JOINED(m, v) -> assert(believed[m] == 0); believed[m] = v; m = 0; v = 0 }
  :: d_step { feed?LEFT(m, v) -> assert(believed[m] == v); believed[m] = 0; m = 0; v = 0 }
  :: d_step { feed?GAP(m, v) -> believed[0] = m; believed[1] = v; m = 0; v = 0 }
  od
}

#define true_of(m) ((here[m] || present[m] == 0) && (present[m] == 0 || present[m] == visit[m]) && believed[m] == present[m])

/* Nobody is present who left; whoever stays and had room is; and the observer knows. */
active proctype Quiet() {
end:
  timeout -> d_step {
    assert(true_of(0) && true_of(1));
    assert(count == (present[0] != 0) + (present[1] != 0));
    assert(MOST < MEMBERS || ((here[0] -> present[0] : true) && (here[1] -> present[1] : true)))
  }
}

init {
  atomic { run Member(0); run Member(1) }
}
