/* Readers subscribe, lag, lose their lines and come back while publications go on: nothing is lost, doubled or disordered untold.

   Home (one process) is the broker and src/hub/home_channels.cc; Shard is src/hub/local_channels.cc, local_readers.cc and the sessions
   with their outboxes; Client is the reader behind its line. Client 0 recovers as a Centrifuge client does (one reply with all it
   missed, or "not recovered"), client 1, or with RESUMES each, resumes as an EventSource does (it reads on from history, and is told gaps).

   Bounds: SHARDS, CLIENTS, MSGS publications, HIST of them kept in history, TAIL in a shard's tail, HOMETAIL in home's while a shard is
   behind, ROOM feeds in a shard's ring, LINE messages on a line, PAGE publications in a page of history, CUTS of each line. */

#ifndef SHARDS
#define SHARDS 1
#endif
#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef MSGS
#define MSGS 4
#endif
#ifndef CUTS
#define CUTS 1
#endif
#define HIST 2
#ifndef TAIL
#define TAIL 2
#endif
#define HOMETAIL 1
#define ROOM 1
#define LINE 1
#define PAGE 1
#define NONE 255

mtype = { FOLLOWED, FEED, PAGED, REPLY, PUB, GAP, FOLLOW, READ };

/* Home to shard: kind, interest, two numbers. Answers have their room reserved. */
chan ring[SHARDS] = [ROOM + 2] of { mtype, byte, byte, byte };
chan request[SHARDS] = [2] of { mtype, byte, byte };
/* Session to client: REPLY(recovered, how many it missed, top), PUB(offset), GAP(from, to). */
chan line[CLIENTS] = [LINE] of { mtype, byte, byte, byte };

/* Home. */
byte top, base;                     /* history holds base+1 .. top */
bool interested[SHARDS], behind[SHARDS];
byte next[SHARDS], interest_at_home[SHARDS], hometail_base;
#ifdef BUG_INTEREST_AFTER_ANSWER
bool owed_interest[SHARDS];
#endif

/* Shards. */
bool attached[SHARDS], following[SHARDS], reading[SHARDS];
byte interest[SHARDS], tail_base[SHARDS], tail_top[SHARDS], read_from[SHARDS], reads[SHARDS];

/* Subscriptions, one for each client. */
#define IDLE 0
#define PENDING 1                   /* waits for the channel to be followed */
#define STARTING 2                  /* waits for a page before it is answered */
#define READY 3                     /* in the channel's list, its answer is on the way */
#define LIVE 4
byte state[CLIENTS], at[CLIENTS], asked[CLIENTS], reached[CLIENTS], first_read[CLIENTS], cursor[CLIENTS];
byte page_base[CLIENTS], page_last[CLIENTS];   /* a page that a live reader is served from; NONE: none */
byte gap_from[CLIENTS], gap_to[CLIENTS];       /* to be told; 0: none */
bool waiting[CLIENTS], fresh[CLIENTS], recovered[CLIENTS];
byte missed[CLIENTS];               /* publications that go into the reply */

/* Clients. */
bool connected[CLIENTS], subscribed[CLIENTS], known[CLIENTS];
byte position[CLIENTS], cuts[CLIENTS];

#ifdef RESUMES
#define recovers(c) false
#else
#define recovers(c) (c == 0)
#endif
#define needed(c) (state[c] == LIVE || state[c] == READY -> cursor[c] : reached[c])
#define covers(s, p) (p >= tail_base[s] && p <= tail_top[s])
#define larger(a, b) ((a) > (b) -> (a) : (b))
#define smaller(a, b) ((a) < (b) -> (a) : (b))

/* --- Home ------------------------------------------------------------------------------------------------------------------- */

inline deliver(s) {
  if
  :: interested[s] && !behind[s] && len(ring[s]) < ROOM -> ring[s]!FEED(interest_at_home[s], top, top - 1); next[s] = top
  :: interested[s] && !behind[s] && len(ring[s]) >= ROOM ->
    behind[s] = true;
    hometail_base = top - 1
  :: else
  fi
}

inline publish() {
  top++;
  base = (top > HIST -> top - HIST : 0);
  s = 0;
  do
  :: s < SHARDS -> deliver(s); s++
  :: else -> break
  od;
  if
  :: top > HOMETAIL -> hometail_base = larger(hometail_base, top - HOMETAIL)
  :: else
  fi;
  s = 0
}

/* What home's tail no longer holds is skipped: the shard sees the hole by the number before. */
inline feed_behind(s) {
#ifdef BUG_HOLE_IS_HIDDEN
  skipped = next[s];
#else
  skipped = larger(next[s], hometail_base);
#endif
  next[s] = larger(next[s], hometail_base) + 1;
  ring[s]!FEED(interest_at_home[s], next[s], skipped);
  if
  :: next[s] == top -> behind[s] = false
  :: else
  fi;
  skipped = 0
}

/* Everything behind the top that is answered comes by the feed. */
inline on_follow(s) {
  interest_at_home[s] = i;
  behind[s] = false;
  ring[s]!FOLLOWED(i, top, 0);
#ifdef BUG_INTEREST_AFTER_ANSWER
  owed_interest[s] = true;
#else
  interested[s] = true;
  next[s] = top;
#endif
  i = 0
}

/* Where the page begins and its last publication, in one number; its top. */
inline on_read(s) {
  from = larger(base, from);
  ring[s]!PAGED(i, from * 16 + smaller(from + PAGE, top), top);
  i = 0; from = 0
}

active proctype Home() {
  byte s, i, from, skipped;
end:
  do
  :: d_step { top < MSGS -> publish() }
  :: d_step { interested[0] && behind[0] && len(ring[0]) < ROOM -> feed_behind(0) }
  :: d_step { request[0]?FOLLOW(i, _) -> on_follow(0) }
  :: d_step { request[0]?READ(i, from) -> on_read(0) }
#if SHARDS > 1
  :: d_step { interested[1] && behind[1] && len(ring[1]) < ROOM -> feed_behind(1) }
  :: d_step { request[1]?FOLLOW(i, _) -> on_follow(1) }
  :: d_step { request[1]?READ(i, from) -> on_read(1) }
#endif
#ifdef BUG_INTEREST_AFTER_ANSWER
  :: d_step { owed_interest[0] -> owed_interest[0] = false; interested[0] = true; next[0] = top }
#endif
  od
}

/* --- Shards ----------------------------------------------------------------------------------------------------------------- */

inline go_live(c, where, is_recovered) {
  cursor[c] = where;
  recovered[c] = is_recovered;
  state[c] = READY
}

inline wait_for_page(s, c) {
  waiting[c] = true
}

/* One page is on its way at a time, from the lowest position that anybody needs. */
inline request_page(s) {
  if
  :: !reading[s] && ((waiting[0] && at[0] == s) || (CLIENTS > 1 && waiting[CLIENTS - 1] && at[CLIENTS - 1] == s)) ->
    low = NONE;
    if
    :: waiting[0] && at[0] == s -> low = needed(0)
    :: else
    fi;
#if CLIENTS > 1
    if
    :: waiting[1] && at[1] == s -> low = smaller(low, needed(1))
    :: else
    fi;
#endif
    reading[s] = true;
    reads[s]++;
    read_from[s] = low;
    request[s]!READ(interest[s], low);
    low = 0
  :: else
  fi
}

/* A recovery that has everything from its position on up to `reached`: the rest from the tail, or another page. */
inline admit_from(s, c) {
  if
  :: reached[c] < tail_top[s] && !covers(s, reached[c]) -> state[c] = STARTING; wait_for_page(s, c)
  :: else ->
    if
    :: reached[c] < tail_top[s] -> missed[c] = missed[c] + tail_top[s] - reached[c]; reached[c] = tail_top[s]
    :: else
    fi;
    go_live(c, reached[c], true)
  fi
}

inline admit(s, c) {
  reached[c] = asked[c];
  if
  :: fresh[c] -> go_live(c, tail_top[s], false)
  :: !fresh[c] && asked[c] > tail_top[s] -> state[c] = STARTING; first_read[c] = reads[s] + 1; wait_for_page(s, c)
  :: !fresh[c] && asked[c] <= tail_top[s] && recovers(c) -> admit_from(s, c)
  :: else -> go_live(c, asked[c], true)
  fi
}

inline append(s, offset, before) {
  if
  :: offset <= tail_top[s]
  :: offset > tail_top[s] && before > tail_top[s] -> tail_base[s] = before; tail_top[s] = offset
  :: else ->
    assert(offset == tail_top[s] + 1);   /* a tail has no holes */
    tail_top[s] = offset;
    if
    :: tail_top[s] > TAIL -> tail_base[s] = larger(tail_base[s], tail_top[s] - TAIL)
    :: else
    fi
  fi
}

inline serve_starting(s, c) {
  if
  :: reached[c] > page_top && first_read[c] > reads[s] -> waiting[c] = true
  :: (reached[c] <= page_top || first_read[c] <= reads[s]) && !recovers(c) ->
    assert(reached[c] <= larger(page_top, tail_top[s]));    /* a position that existed exists */
    go_live(c, reached[c], true)
  :: (reached[c] <= page_top || first_read[c] <= reads[s]) && recovers(c) ->
    assert(reached[c] <= larger(page_top, tail_top[s]));
    if
    :: reached[c] < read_from[s] || (reached[c] >= last && reached[c] < page_top) -> waiting[c] = true
    :: else ->
      if
#ifdef BUG_RECOVERED_PAST_RETENTION
      :: false
#else
      :: from > reached[c] -> assert(asked[c] < base); go_live(c, tail_top[s], false)   /* history has lost some of it */
#endif
      :: else ->
        if
        :: last > reached[c] -> missed[c] = missed[c] + last - larger(from, reached[c]); reached[c] = last
        :: else
        fi;
        admit_from(s, c)
      fi
    fi
  fi
}

inline serve_live(s, c) {
  if
  :: cursor[c] < read_from[s] || (cursor[c] >= last && cursor[c] < page_top) -> waiting[c] = true
  :: else ->
    if
    :: from > cursor[c] ->
      /* What the tail still holds is given behind the gap, even where history has it no more. */
      gap_from[c] = cursor[c] + 1;
      gap_to[c] = (tail_base[s] > cursor[c] -> smaller(from, tail_base[s]) : from)
    :: else
    fi;
    page_base[c] = from;
    page_last[c] = last
  fi
}

inline serve(s, c) {
  if
  :: waiting[c] && at[c] == s ->
    waiting[c] = false;
    if
    :: state[c] == STARTING -> serve_starting(s, c)
    :: else -> serve_live(s, c)
    fi
  :: else
  fi
}

inline on_page(s) {
  reading[s] = false;
  from = x / 16;
  last = x % 16;
  page_top = y;
  serve(s, 0);
#if CLIENTS > 1
  serve(s, 1);
#endif
  request_page(s);
  from = 0; last = 0; page_top = 0
}

inline on_followed(s) {
  attached[s] = true;
  tail_base[s] = x;
  tail_top[s] = x;
  if
  :: state[0] == PENDING && at[0] == s -> admit(s, 0)
  :: else
  fi;
#if CLIENTS > 1
  if
  :: state[1] == PENDING && at[1] == s -> admit(s, 1)
  :: else
  fi;
#endif
  request_page(s)
}

inline on_subscribe(s, c) {
  if
  :: attached[s] -> admit(s, c); request_page(s)
  :: !attached[s] && following[s]
  :: else -> following[s] = true; interest[s]++; request[s]!FOLLOW(interest[s], 0)
  fi
}

/* What the session writes next, while its line has room. */
inline flush(s, c) {
  if
  :: state[c] == READY -> line[c]!REPLY(recovered[c], missed[c], cursor[c]); state[c] = LIVE
  :: state[c] == LIVE && gap_to[c] != 0 ->
    gap_from[c] = larger(gap_from[c], cursor[c] + 1);
    if
    :: gap_from[c] <= gap_to[c] ->
#ifndef BUG_GAP_IS_NOT_TOLD
      line[c]!GAP(gap_from[c], gap_to[c], 0);
#endif
      cursor[c] = gap_to[c]
    :: else
    fi;
    gap_from[c] = 0; gap_to[c] = 0
  :: state[c] == LIVE && gap_to[c] == 0 && page_base[c] != NONE ->
    if
    :: cursor[c] >= page_base[c] && cursor[c] < page_last[c] && !covers(s, cursor[c]) -> cursor[c]++; line[c]!PUB(cursor[c], 0, 0)
    :: else -> page_base[c] = NONE; page_last[c] = NONE
    fi
  :: state[c] == LIVE && gap_to[c] == 0 && page_base[c] == NONE ->
    if
    :: covers(s, cursor[c]) -> cursor[c]++; line[c]!PUB(cursor[c], 0, 0)
    :: else -> wait_for_page(s, c); request_page(s)
    fi
  fi
}

#define has_work(s, c) (at[c] == s && connected[c] && len(line[c]) < LINE && !waiting[c] && \
  (state[c] == READY || (state[c] == LIVE && (gap_to[c] != 0 || page_base[c] != NONE || cursor[c] < tail_top[s]))))
#ifdef BUG_FLUSH_BEFORE_REPLY
#define early(s, c) (at[c] == s && connected[c] && len(line[c]) < LINE && state[c] == READY && cursor[c] < tail_top[s] && covers(s, cursor[c]))
#endif

proctype Shard(byte s) {
  byte x, y, i, from, last, page_top, low;
end:
  do
  :: d_step { ring[s]?FOLLOWED(i, x, _) -> if :: i == interest[s] -> on_followed(s) :: else fi; i = 0; x = 0 }
  :: d_step { ring[s]?FEED(i, x, y) ->
      if
      :: i == interest[s] && attached[s] -> append(s, x, y)
      :: else
      fi;
      i = 0; x = 0; y = 0 }
  :: d_step { ring[s]?PAGED(i, x, y) -> if :: i == interest[s] -> on_page(s) :: else fi; i = 0; x = 0; y = 0 }
  :: d_step { has_work(s, 0) -> flush(s, 0) }
  :: d_step { at[0] == s && connected[0] && state[0] == IDLE -> state[0] = PENDING; on_subscribe(s, 0) }
#ifdef BUG_FLUSH_BEFORE_REPLY
  :: d_step { early(s, 0) -> cursor[0]++; line[0]!PUB(cursor[0], 0, 0) }
#endif
#if CLIENTS > 1
  :: d_step { has_work(s, 1) -> flush(s, 1) }
  :: d_step { at[1] == s && connected[1] && state[1] == IDLE -> state[1] = PENDING; on_subscribe(s, 1) }
#endif
  /* Nobody reads it any more: the channel is let go, and later feeds are for an interest that is over. */
  :: d_step { attached[s] && !reading[s] && (state[0] == IDLE || at[0] != s) && (CLIENTS == 1 || state[CLIENTS - 1] == IDLE || at[CLIENTS - 1] != s) &&
      cuts[0] > 0 && interest[s] < 2 ->
      attached[s] = false; following[s] = false; interested[s] = false; behind[s] = false }
  od
}

/* --- Clients ---------------------------------------------------------------------------------------------------------------- */

inline connect(c, s) {
  connected[c] = true;
  at[c] = s;
  asked[c] = position[c];
  fresh[c] = !known[c]
}

/* The line breaks: what is on it is gone, and the session with it. */
inline cut(c) {
  cuts[c]++;
  do
  :: len(line[c]) > 0 -> line[c]?_, _, _, _
  :: len(line[c]) == 0 -> break
  od;
  connected[c] = false; subscribed[c] = false; state[c] = IDLE; waiting[c] = false;
  cursor[c] = 0; reached[c] = 0; first_read[c] = 0; asked[c] = 0; missed[c] = 0; recovered[c] = false;
  page_base[c] = NONE; page_last[c] = NONE; gap_from[c] = 0; gap_to[c] = 0
}

inline on_reply(c) {
  assert(!subscribed[c]);
  subscribed[c] = true;
  if
  :: x == 1 && recovers(c) -> assert(position[c] + y == z); position[c] = z
  :: x == 1 && !recovers(c)
  :: x == 0 -> assert(!known[c] || position[c] < base); position[c] = z   /* told that it was not recovered */
  fi;
  known[c] = true
}

proctype Client(byte c) {
  byte x, y, z;
end:
  do
  :: d_step { !connected[c] -> connect(c, 0) }
#if SHARDS > 1
  :: d_step { !connected[c] -> connect(c, 1) }
#endif
  :: d_step { connected[c] && cuts[c] < CUTS -> cut(c) }
  :: d_step { line[c]?REPLY(x, y, z) -> on_reply(c); x = 0; y = 0; z = 0 }
  :: d_step { line[c]?PUB(x, _, _) ->
      assert(subscribed[c]);             /* no publication before the reply */
      assert(x == position[c] + 1);      /* nothing lost, doubled, disordered */
      position[c] = x; x = 0 }
  :: d_step { line[c]?GAP(x, y, _) ->
      assert(subscribed[c] && x == position[c] + 1 && y >= x && y <= base);   /* exactly what history has lost */
      position[c] = y; x = 0; y = 0 }
  od
}

/* When nothing can happen any more, everybody has everything. */
active proctype Quiet() {
end:
  timeout -> assert(top == MSGS && position[0] == top && (CLIENTS == 1 || position[CLIENTS - 1] == top))
}

init {
  atomic {
    byte n = 0;
    do
    :: n < CLIENTS -> page_base[n] = NONE; page_last[n] = NONE; n++
    :: else -> break
    od;
    run Shard(0);
    if
    :: SHARDS > 1 -> run Shard(SHARDS - 1)
    :: else
    fi;
    run Client(0);
    if
    :: CLIENTS > 1 -> run Client(CLIENTS - 1)
    :: else
    fi
  }
}
