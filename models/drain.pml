/* A node drains: it takes nobody any more, and each session ends once, behind the answers that it owes its client; who does not read
   is cut off when the time is up. Nobody loses anything: a client goes on elsewhere from where it stands.

   Node is ShardWorld::drain() with SessionTable::end_all(), Session::finish() and the transports' farewell; a session that ends leaves
   the hub at once, so what its cursor had not reached is not sent. Client is an SDK, and where it goes on has all of history.

   Bounds: CLIENTS, PUBLISHED publications, ASKED commands of each client, ROOM frames on a line. */

#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef PUBLISHED
#define PUBLISHED 3
#endif
#ifndef ASKED
#define ASKED 2
#endif
#define ROOM 1

mtype = { PUBLICATION, ANSWER, CLOSE };
chan line[CLIENTS] = [ROOM] of { mtype, byte };

byte top;                                       /* of the channel */
bool draining, gone;
byte signals;                                   /* that asked to drain; two are as good as one */
bool open[CLIENTS], ended[CLIENTS], closing[CLIENTS];   /* the session; it has left the hub; its close is still to be sent */
byte cursor[CLIENTS], owed[CLIENTS], asked[CLIENTS];
bool elsewhere[CLIENTS], told[CLIENTS];
byte has[CLIENTS];                              /* what the client was given */

#define room(c) (len(line[c]) < ROOM)

inline begin_drain() {
  draining = true; signals++;
  c = 0;
  do
  :: c < CLIENTS ->
     if
#ifdef BUG_CLOSES_TWICE
     :: open[c] -> ended[c] = true; closing[c] = true
     :: !open[c]
#else
     :: open[c] && !ended[c] -> ended[c] = true; closing[c] = true
     :: !open[c] || ended[c]
#endif
     fi;
     c++
  :: c == CLIENTS -> break
  od;
  c = 0
}

/* The time is up, or all have left. Whoever is cut off had its close before it, unread. */
inline stop() {
  c = 0;
  do
  :: c < CLIENTS -> assert(!open[c] || ended[c]); c++
  :: c == CLIENTS -> break
  od;
  c = 0; gone = true
}

active proctype Node() {
  byte c;
end:
  do
  :: d_step { !gone && signals < 2 -> begin_drain() }
  :: d_step { draining && !gone -> stop() }
  :: gone -> break
  od
}

/* What the node does with one session: each step is a part of a turn. */
proctype Session(byte c) {
end:
  do
#ifdef BUG_TAKES_CLIENTS_WHILE_IT_DRAINS
  :: d_step { !open[c] && !gone && !ended[c] && !elsewhere[c] -> open[c] = true; cursor[c] = has[c] }
#else
  :: d_step { !open[c] && !draining && !elsewhere[c] -> open[c] = true; cursor[c] = has[c] }
#endif
  :: d_step { open[c] && !gone && !ended[c] && asked[c] < ASKED -> asked[c]++; owed[c]++ }
  :: d_step { open[c] && !gone && owed[c] > 0 && room(c) -> owed[c]--; line[c]!ANSWER(0) }
#ifdef BUG_STAYS_IN_THE_HUB
  :: d_step { open[c] && !gone && cursor[c] < top && room(c) -> cursor[c]++; line[c]!PUBLICATION(cursor[c]) }
#else
  :: d_step { open[c] && !gone && !ended[c] && cursor[c] < top && room(c) -> cursor[c]++; line[c]!PUBLICATION(cursor[c]) }
#endif
#ifdef BUG_CLOSE_OVERTAKES
  :: d_step { closing[c] && !gone && room(c) -> closing[c] = false; line[c]!CLOSE(owed[c]) }
#else
  :: d_step { closing[c] && !gone && owed[c] == 0 && room(c) -> closing[c] = false; line[c]!CLOSE(owed[c]) }
#endif
  :: gone -> break
  od
}

proctype Client(byte c) {
  byte n;
end:
  do
  :: d_step { line[c]?PUBLICATION(n) -> assert(!told[c] && n == has[c] + 1); has[c] = n; n = 0 }
  :: d_step { line[c]?ANSWER(n) -> assert(!told[c]); n = 0 }
  :: d_step { line[c]?CLOSE(n) -> assert(!told[c] && n == 0); told[c] = true; n = 0 }
  /* Told to go, or cut off, or never let in: it goes on elsewhere, from where it stands. */
  :: atomic { !elsewhere[c] && len(line[c]) == 0 && ((told[c] && !closing[c]) || gone) -> elsewhere[c] = true }
  :: d_step { elsewhere[c] && has[c] < top -> has[c]++ }
  od
}

/* Publications go on: other nodes take them, too. */
active proctype Publisher() {
end:
  do
  :: top < PUBLISHED -> top++
  :: top == PUBLISHED -> break
  od
}

/* Everybody has everything in the end, and whoever reads was told. */
active proctype Quiet() {
  byte c;
end:
  timeout -> d_step {
    c = 0;
    do
    :: c < CLIENTS -> assert(has[c] == top && (!draining || elsewhere[c])); c++
    :: c == CLIENTS -> break
    od
  }
}

init {
  byte c;
  atomic {
    do
    :: c < CLIENTS -> run Session(c); run Client(c); c++
    :: c == CLIENTS -> break
    od
  }
}
