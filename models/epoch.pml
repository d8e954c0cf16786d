/* The sequencer crashes and loses what was not durable, or loses its history, with readers above the durable top: nobody recovers
   "perfectly" and holds other data than the channel.

   Broker gives offsets; Shard follows it (home_channels.cc: compare_tops, reset; local_channels.cc: on_reset, reset_reader;
   local_readers.cc: unreachable, on_page); Client is a reader. Client 0 keeps the epoch of its subscription (Centrifuge), client 1
   takes that of each publication (EventSource). With LEVEL_DURABLE nothing is delivered above what is durable; without it readers run
   ahead of the disk and must be told when that is rolled back.

   Bounds: PUBLISHED in all, CRASHES of the broker alone or of the whole node, RESETS of the history, CUTS of each line, CLIENTS. */

#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef PUBLISHED
#define PUBLISHED 4
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RESETS
#define RESETS 1
#endif
#ifndef CUTS
#define CUTS 1
#endif
#define SIZE 6                      /* PUBLISHED + 1, at least */
#define NONE 255

mtype = { REPLY, PUB, GAP, epoch_changed, rolled_back };

/* Broker. A publication is known by the number of its publish: offsets come again, these never do. */
byte top, durable, serial, incarnation = 1, generation;
byte content[SIZE], written_in[SIZE], generation_end[3];
byte crashes, resets;
#ifdef LEVEL_DURABLE
#ifdef BUG_DELIVERED_BEFORE_SYNC
#define visible top
#else
#define visible durable
#endif
#else
#define visible top
#endif

/* Shard: the epoch it knows, and its tail: tail_base+1 .. fed. */
bool attached, broken;
byte its_incarnation, its_generation, its_end[3], fed, tail_base, tail[SIZE];

/* Subscriptions. */
#define IDLE 0
#define READY 1
#define LIVE 2
byte state[CLIENTS], cursor[CLIENTS], gap_from[CLIENTS], gap_to[CLIENTS];
mtype gap_reason[CLIENTS];
bool has_gap[CLIENTS], recovered[CLIENTS];
byte reply_top[CLIENTS], reply_epoch[CLIENTS];   /* as they were when the subscription was decided */

/* Session to client: REPLY(recovered, top), PUB(offset, what, generation it was written in), GAP(from, to, reason). */
chan line[CLIENTS] = [1] of { mtype, byte, byte, byte };

/* Clients: what they have, and what they believe. */
bool connected[CLIENTS], known[CLIENTS];
byte position[CLIENTS], its_epoch_incarnation[CLIENTS], its_epoch_generation[CLIENTS], cuts[CLIENTS];
typedef Held { byte what[SIZE] };
Held held[CLIENTS];                 /* 0: does not have it, and was told so */

#define larger(a, b) ((a) > (b) -> (a) : (b))
#define smaller(a, b) ((a) < (b) -> (a) : (b))
#define knows_epoch (its_incarnation == incarnation && its_generation == generation)

/* --- Broker ----------------------------------------------------------------------------------------------------------------- */

inline lose_unsynced() {
  n = durable + 1;
  do
  :: n < SIZE -> content[n] = 0; written_in[n] = 0; n++
  :: else -> break
  od;
  n = 0;
  top = durable;
#ifndef BUG_SAME_GENERATION
  generation_end[generation] = durable;
  generation++;
#endif
  broken = attached
}

inline lose_history() {
  n = 0;
  do
  :: n < SIZE -> content[n] = 0; written_in[n] = 0; n++
  :: else -> break
  od;
  n = 0;
  top = 0; durable = 0; generation = 0; generation_end[0] = 0; generation_end[1] = 0; generation_end[2] = 0;
  incarnation++;
  broken = attached
}

inline cut(c) {
  if
  :: len(line[c]) > 0 -> line[c]?_, _, _, _
  :: len(line[c]) == 0
  fi;
  connected[c] = false; state[c] = IDLE; cursor[c] = 0; has_gap[c] = false; gap_from[c] = 0; gap_to[c] = 0; gap_reason[c] = 0;
  recovered[c] = false; reply_top[c] = 0; reply_epoch[c] = 0
}

inline forget_shard() {
  attached = false; broken = false; fed = 0; tail_base = 0; its_incarnation = 0; its_generation = 0;
  its_end[0] = 0; its_end[1] = 0; its_end[2] = 0;
  n = 0;
  do
  :: n < SIZE -> tail[n] = 0; n++
  :: else -> break
  od;
  n = 0;
  cut(0);
#if CLIENTS > 1
  cut(1);
#endif
  skip
}

active proctype Broker() {
  byte n;
end:
  do
  :: atomic { serial < PUBLISHED -> top++; serial++; content[top] = serial; written_in[top] = generation }
  :: atomic { durable < top -> durable++ }
  :: atomic { crashes < CRASHES && serial > 0 -> crashes++; lose_unsynced() }
  :: atomic { crashes < CRASHES && serial > 0 -> crashes++; lose_unsynced(); forget_shard() }
  :: atomic { resets < RESETS && serial > 0 -> resets++; lose_history() }
  od
}

/* --- Shard ------------------------------------------------------------------------------------------------------------------ */

/* What an earlier reset still has to tell is told with this one. */
inline reset_reader(c, reason) {
  if
  :: state[c] == IDLE
  :: state[c] != IDLE && (reason != rolled_back || (has_gap[c] && gap_reason[c] == epoch_changed)) ->
    has_gap[c] = true; gap_reason[c] = epoch_changed; gap_from[c] = 0; gap_to[c] = fed; cursor[c] = fed
  :: else ->
    x = fed + 1;
    y = cursor[c];
    if
    :: has_gap[c] -> x = smaller(x, gap_from[c]); y = larger(y, gap_to[c])
    :: else
    fi;
    cursor[c] = smaller(cursor[c], x - 1);
    has_gap[c] = false; gap_from[c] = 0; gap_to[c] = 0; gap_reason[c] = 0;
#ifndef BUG_ROLLBACK_IS_NOT_TOLD
    if
    :: x <= y -> has_gap[c] = true; gap_from[c] = x; gap_to[c] = y; gap_reason[c] = rolled_back
    :: else
    fi;
#endif
    x = 0; y = 0
  fi
}

inline tail_restarts() {
  tail_base = fed;
  n = 0;
  do
  :: n < SIZE -> tail[n] = 0; n++
  :: else -> break
  od;
  n = 0
}

inline take_life() {
  its_incarnation = incarnation;
  its_generation = generation;
  its_end[0] = generation_end[0]; its_end[1] = generation_end[1]; its_end[2] = generation_end[2]
}

inline reset(reason) {
  tail_restarts();
  take_life();
  reset_reader(0, reason);
#if CLIENTS > 1
  reset_reader(1, reason);
#endif
  skip
}

/* The feed broke: where do the histories part? */
inline compare_tops() {
  broken = false;
  if
  :: its_incarnation != incarnation -> fed = visible; reset(epoch_changed)
  :: its_incarnation == incarnation && !knows_epoch ->
    x = smaller(visible, fed);
    n = its_generation;
    do
#ifdef BUG_TOPS_ALONE
    :: false
#else
    :: n < generation -> x = smaller(x, generation_end[n]); n++
#endif
    :: n >= generation -> break
#ifdef BUG_TOPS_ALONE
    :: n < generation -> break
#endif
    od;
    n = 0;
    fed = x;
    x = 0;
    reset(rolled_back)
  :: else
  fi
}

/* Recover and resume: what this life of the channel cannot give to a reader of that position. */
inline admit(c) {
  state[c] = READY;
  if
  :: !known[c] -> cursor[c] = fed; recovered[c] = false
  :: known[c] && its_epoch_incarnation[c] == its_incarnation && its_epoch_generation[c] <= its_generation &&
      (its_epoch_generation[c] == its_generation || position[c] <= its_end[its_epoch_generation[c]]) ->
    cursor[c] = position[c]; recovered[c] = true
#ifdef BUG_RESUMED_ABOVE_THE_END
  :: known[c] && its_epoch_incarnation[c] == its_incarnation && its_epoch_generation[c] < its_generation &&
      position[c] > its_end[its_epoch_generation[c]] && position[c] <= fed -> cursor[c] = position[c]; recovered[c] = true
#endif
  :: known[c] && its_epoch_incarnation[c] == its_incarnation && its_epoch_generation[c] < its_generation &&
      position[c] > its_end[its_epoch_generation[c]] && c == 1 ->
    /* who resumes is told what was rolled back, and goes on where the histories part */
    gap_reason[c] = rolled_back; gap_from[c] = its_end[its_epoch_generation[c]] + 1; gap_to[c] = position[c]; has_gap[c] = true;
    cursor[c] = gap_from[c] - 1; recovered[c] = true
  :: else ->
    cursor[c] = fed;
    if
    :: c == 1 -> gap_reason[c] = epoch_changed; gap_from[c] = 0; gap_to[c] = fed; has_gap[c] = true; recovered[c] = true
    :: else -> recovered[c] = false
    fi
  fi;
  reply_top[c] = cursor[c];
  reply_epoch[c] = its_incarnation * 16 + its_generation
}

/* A page of another life is not taken: the reset that is on its way decides. */
#define has_work(c) (connected[c] && len(line[c]) == 0 && (state[c] == READY || (state[c] == LIVE && (has_gap[c] || \
  (cursor[c] < fed && (cursor[c] >= tail_base || knows_epoch))))))

inline flush(c) {
  if
  :: state[c] == READY ->
#ifdef BUG_REPLY_NAMES_A_LATER_EPOCH
    reply_epoch[c] = its_incarnation * 16 + its_generation;
#endif
    line[c]!REPLY(recovered[c], reply_top[c], reply_epoch[c]);
    state[c] = LIVE
  :: state[c] == LIVE && has_gap[c] ->
    line[c]!GAP(gap_from[c], gap_to[c] * 16 + gap_reason[c], its_incarnation * 16 + its_generation);
    has_gap[c] = false; gap_from[c] = 0; gap_to[c] = 0; gap_reason[c] = 0
  :: state[c] == LIVE && !has_gap[c] ->
    cursor[c]++;
    if
    :: cursor[c] > tail_base -> line[c]!PUB(cursor[c], tail[cursor[c]] / 16, its_incarnation * 16 + tail[cursor[c]] % 16)
    :: else -> line[c]!PUB(cursor[c], content[cursor[c]], its_incarnation * 16 + written_in[cursor[c]])
    fi
  fi
}

active proctype Shard() {
  byte n, x, y;
end:
  do
  :: atomic { !attached && (connected[0] || (CLIENTS > 1 && connected[CLIENTS - 1])) ->
      attached = true; fed = visible; tail_restarts(); take_life() }
  :: atomic { attached && broken -> compare_tops() }
  :: atomic { attached && !broken && fed < visible -> fed++; tail[fed] = content[fed] * 16 + written_in[fed] }
  :: atomic { attached && connected[0] && state[0] == IDLE -> admit(0) }
  :: atomic { attached && has_work(0) -> flush(0) }
#if CLIENTS > 1
  :: atomic { attached && connected[1] && state[1] == IDLE -> admit(1) }
  :: atomic { attached && has_work(1) -> flush(1) }
#endif
  od
}

/* --- Clients ---------------------------------------------------------------------------------------------------------------- */

inline drop_above(c, offset) {
  n = offset + 1;
  do
  :: n < SIZE -> held[c].what[n] = 0; n++
  :: else -> break
  od;
  n = 0
}

inline drop_up_to(c, offset) {
  n = 0;
  do
  :: n <= offset -> held[c].what[n] = 0; n++
  :: else -> break
  od;
  n = 0
}

inline take_epoch(c) {
  its_epoch_incarnation[c] = z / 16;
  its_epoch_generation[c] = z % 16
}

inline on_reply(c) {
  if
  :: x == 0 -> position[c] = y; drop_above(c, 0)          /* not recovered: what it had belongs to nothing */
  :: x == 1
  fi;
  if
  :: x == 0 || c == 0 -> take_epoch(c)
  :: else
  fi;
  known[c] = true
}

inline on_gap(c) {
  if
  :: y % 16 == rolled_back ->
#if defined(LEVEL_DURABLE)
    assert(false);                                         /* nothing durable is ever rolled back */
#endif
    assert(x <= position[c] + 1 && y / 16 >= position[c]);
    position[c] = x - 1; drop_above(c, position[c])
  :: else -> position[c] = y / 16; drop_above(c, 0)
  fi;
  take_epoch(c)
}

proctype Client(byte c) {
  byte n, x, y, z;
end:
  do
  :: atomic { !connected[c] -> connected[c] = true }
  :: atomic { connected[c] && cuts[c] < CUTS -> cuts[c]++; cut(c) }
  :: atomic { line[c]?REPLY(x, y, z) -> on_reply(c); x = 0; y = 0; z = 0 }
  :: atomic { line[c]?PUB(x, y, z) ->
      assert(x == position[c] + 1);
      position[c] = x;
      held[c].what[x] = y;
      if
      :: c == 1 -> take_epoch(c)
      :: else
      fi;
      x = 0; y = 0; z = 0 }
  :: atomic { line[c]?GAP(x, y, z) -> on_gap(c); x = 0; y = 0; z = 0 }
  od
}

inline check(c) {
  assert(known[c] && position[c] == top);
  n = 1;
  do
  :: n <= top -> assert(held[c].what[n] == 0 || held[c].what[n] == content[n]); n++
  :: else -> break
  od
}

/* When nothing can happen any more, what a client has and was not told to forget is what the channel has. */
active proctype Quiet() {
  byte n;
end:
  timeout -> atomic {
    check(0);
#if CLIENTS > 1
    check(1);
#endif
    skip
  }
}

init {
  atomic {
    run Client(0);
    if
    :: CLIENTS > 1 -> run Client(CLIENTS - 1)
    :: else
    fi
  }
}
