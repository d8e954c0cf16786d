/* One-time tickets: the owner of a ticket takes it out of its table before it answers, so that of all who show it, on whatever shard, at most
   one is let in, and one that was given away is given to nobody else, even if its client has left.

   Owner is the TicketDesk of the shard that made the ticket, Asker that of another shard, with its credits and those who wait for one; clients
   come to any of them, and may leave at any moment. The lines are mailboxes: FIFO, with a place for each credit.

   Bounds: CLIENTS that show the ticket, CREDITS of each of two askers, PARKED that may wait for one. */

#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef CREDITS
#define CREDITS 1
#endif
#ifndef PARKED
#define PARKED 1
#endif
#define ASKERS 2

chan come[ASKERS] = [0] of { byte };
chan asked[ASKERS] = [CREDITS] of { byte };
chan answered[ASKERS] = [CREDITS] of { byte, bool };

bool kept = true;                /* the ticket is in the owner's table */
bool expired;                    /* its time is over */
byte given;                      /* how often the owner gave it away */
byte passed, refused, later;     /* what clients were told */
byte unheard;                    /* verdicts whose client had left */
bool gone[CLIENTS];
byte credits[ASKERS] = CREDITS;

inline take(ok) {
#ifdef BUG_TAKEN_WHEN_TOLD
  ok = kept;
#else
  ok = kept; kept = false;
#endif
  assert(!ok || !expired);
  given = given + ok
}

inline tell(c, ok) {
  if
  :: gone[c] -> unheard++
  :: !gone[c] && ok -> passed++
  :: !gone[c] && !ok -> refused++
  fi;
#ifdef BUG_TAKEN_WHEN_TOLD
  if
  :: ok -> kept = false
  :: !ok
  fi
#else
#ifdef BUG_GIVEN_BACK
  if
  :: ok && gone[c] -> kept = true
  :: !ok || !gone[c]
  fi
#endif
#endif
}

active proctype Owner() {
  byte c; bool ok;
end:
  do
  :: d_step { nempty(asked[0]) -> asked[0]?c; take(ok); answered[0]!c, ok; c = 0; ok = false }
  :: d_step { nempty(asked[1]) -> asked[1]?c; take(ok); answered[1]!c, ok; c = 0; ok = false }
  od
}

/* The ticket may be shown in time, too late, or while its time runs out. */
active proctype Clock() {
  if
  :: d_step { expired = true;
#ifndef BUG_NEVER_EXPIRES
       kept = false
#endif
     }
  :: true
  fi
}

inline ask(c) {
  credits[s]--;
  assert(len(asked[s]) < CREDITS);
  asked[s]!c
}

proctype Asker(byte s) {
  chan parked = [PARKED] of { byte };
  byte c, c2; bool ok;
end:
  do
  :: atomic { come[s]?c ->
       if
       :: len(parked) == 0 && credits[s] > 0 -> ask(c)
       :: (len(parked) > 0 || credits[s] == 0) && len(parked) < PARKED ->
#ifdef BUG_ASKS_WITHOUT_CREDIT
          assert(len(asked[s]) + len(answered[s]) < CREDITS); asked[s]!c
#else
          parked!c
#endif
       :: (len(parked) > 0 || credits[s] == 0) && len(parked) == PARKED -> later++
       fi;
       c = 0 }
  :: d_step { nempty(answered[s]) -> answered[s]?c, ok; credits[s]++;
#ifndef BUG_FORGETS_WHO_WAITS
       if
       :: len(parked) > 0 -> parked?c2; ask(c2)
       :: len(parked) == 0
       fi;
#endif
       tell(c, ok); c = 0; c2 = 0; ok = false }
  od
}

/* Shows the ticket somewhere, and may leave before it is answered. */
proctype Client(byte c) {
  bool ok;
  if
  :: d_step { take(ok); tell(c, ok); ok = false }
  :: come[0]!c
  :: come[1]!c
  fi;
  if
  :: gone[c] = true
  :: true
  fi
}

/* Everybody was told, exactly one let in: or nobody, where it had left, or came too late. */
active proctype Quiet() {
end:
  timeout -> d_step {
    assert(passed + refused + later + unheard == CLIENTS);
    assert(given <= 1 && passed <= given);
    assert(expired || given == 1);
    assert(credits[0] == CREDITS && credits[1] == CREDITS)
  }
}

init {
  byte c;
  atomic {
    run Asker(0); run Asker(1);
    do
    :: c < CLIENTS -> run Client(c); c++
    :: c == CLIENTS -> break
    od
  }
}
