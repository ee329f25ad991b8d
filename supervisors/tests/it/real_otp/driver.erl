#!/usr/bin/env escript
%%! +S 1 -noshell
%% Runs cases on the `supervisor' of the installed Erlang/OTP: one case a line on standard
%% input, as a term; its transcript on standard output, closed by a line with a full stop.
%%
%% What runs is OTP's own code, taken from the abstract code in `supervisor.beam' and compiled
%% here under another name, with four things replaced: the clock, the signal that stops a child
%% (to write it down), the wait for its end, and the timer of a pool. Time is virtual so: it
%% passes where a case says so, and where a child takes its time to stop.
%%
%% All that is watched has high priority and there is one scheduler. So whoever has normal
%% priority and runs knows that everything else waits, and no history depends on chance.
-module(driver).
-mode(compile).
-export([main/1, init/1, start_worker/4, start_member/3, start_supervisor/3]).
-export([seconds/0, stop_signal/2, patience/2, start_timer/3, log/2]).

-define(COPY, otp_supervisor).

main(_) ->
    load_copy(),
    logger:set_primary_config(level, error),
    logger:remove_handler(default),
    ok = logger:add_handler(transcript, ?MODULE, #{}),
    io:setopts([{encoding, latin1}]),
    io:put_chars(["ready ", erlang:system_info(otp_release), "\n"]),
    process_flag(trap_exit, true),
    serve().

serve() ->
    case io:get_line("") of
        eof -> ok;
        {error, _} -> ok;
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line),
            {ok, Case} = erl_parse:parse_term(Tokens),
            run(Case),
            serve()
    end.

%% ---- The copy of OTP's supervisor ------------------------------------------------------------

load_copy() ->
    Beam = code:which(supervisor),
    {ok, {_, [{abstract_code, Code}]}} = beam_lib:chunks(Beam, [abstract_code]),
    {raw_abstract_v1, Forms} = Code,
    put(replaced, []),
    Copy = [replace(rename(Form)) || Form <- Forms],
    %% If another release of OTP writes these otherwise, this must not go unnoticed.
    [patience, seconds, start_timer, stop_signal] = lists:usort(erase(replaced)),
    {ok, ?COPY, Binary} = compile:forms(Copy, [nowarn_deprecated_function]),
    {module, ?COPY} = code:load_binary(?COPY, "otp_supervisor", Binary).

rename({attribute, Line, module, supervisor}) -> {attribute, Line, module, ?COPY};
rename(Form) -> Form.

replace({call, L, {remote, _, {atom, _, erlang}, {atom, _, monotonic_time}}, [_]}) ->
    ours(L, seconds, []);
replace({call, L, {remote, _, {atom, _, erlang}, {atom, _, start_timer}}, Arguments}) ->
    ours(L, start_timer, Arguments);
replace({call, L, {atom, _, exit}, [Pid, Reason]}) ->
    ours(L, stop_signal, [Pid, Reason]);
replace({'receive', L, Clauses, {var, _, 'Time'} = Time, Body}) ->
    Patience = ours(L, patience, [{var, L, 'Pid'}, Time]),
    {'receive', L, replace(Clauses), Patience, replace(Body)};
replace(Form) when is_tuple(Form) ->
    list_to_tuple(replace(tuple_to_list(Form)));
replace(Forms) when is_list(Forms) ->
    [replace(Form) || Form <- Forms];
replace(Form) ->
    Form.

ours(Line, Function, Arguments) ->
    put(replaced, [Function | get(replaced)]),
    {call, Line, {remote, Line, {atom, Line, ?MODULE}, {atom, Line, Function}}, Arguments}.

seconds() ->
    read(clock, 0).

%% The supervisor stops a child. One that has died already is not asked.
stop_signal(Pid, Reason) ->
    case {is_process_alive(Pid), Reason} of
        {false, _} -> ok;
        {true, kill} -> note(["kill ", text(name(Pid))]);
        {true, shutdown} ->
            note(["stop ", text(name(Pid))]),
            %% Known now: once it is asked it may be gone before anybody looks again.
            write({asked, Pid}, stop_time(Pid))
    end,
    exit(Pid, Reason).

%% How long the supervisor waits, really, for a child that has been asked to stop: for ever,
%% if it is going to end in time, and not at all otherwise.
patience(Pid, Time) ->
    case take({asked, Pid}, 0) of
        never when Time =:= infinity -> infinity;
        Delay when Time =:= infinity; Delay * 1000 =< Time -> pass(Delay), infinity;
        _ -> pass(Time div 1000), 0
    end.

%% The timer of a pool that stops its members. Its message comes when all have ended that do.
start_timer(Time, Pool, Message) ->
    Reference = make_ref(),
    Delays = [take({asked, Pid}, 0) || Pid <- members(Pool)],
    Longest = lists:max([0 | Delays]),
    case Longest =/= never andalso Longest * 1000 =< Time of
        true -> pass(Longest);
        false -> pass(Time div 1000)
    end,
    write({caller, Reference}, spawn(fun() -> Pool ! {timeout, Reference, Message} end)),
    Reference.

%% How many seconds a child takes to stop. An atom is greater than any number.
stop_time(Pid) ->
    case read({stops, name(Pid)}, obey) of
        obey -> 0;
        deaf -> never;
        {delayed, Seconds, _} -> Seconds
    end.

members(Pool) ->
    [Pid || [Pid] <- ets:match(state, {{live, name(Pool), '_'}, '$1'})].

pass(Seconds) ->
    write(clock, seconds() + Seconds).

%% ---- Children --------------------------------------------------------------------------------

%% These run in the supervisor, which waits for what they return.
start_worker(Name, Supervisor, Strategy, Shutdown) ->
    begin_start(Name, Supervisor, Strategy, false, fun() -> spawn_worker(Name, Shutdown) end).

start_member(Pool, Shutdown, Name) ->
    IsRestart = read({started, Name}, false),
    write({started, Name}, true),
    Run = fun() -> spawn_worker(Name, Shutdown) end,
    begin_start(Name, Pool, simple_one_for_one, IsRestart, Run).

start_supervisor(Spec, Parent, Strategy) ->
    Name = element(2, Spec),
    begin_start(Name, Parent, Strategy, false, fun() -> link_supervisor(Spec) end).

begin_start(Name, Supervisor, Strategy, IsRestartOfMember, Run) ->
    note(["start ", text(Name)]),
    {Scripted, Meanwhile} = next(Name),
    %% OTP before release 28 keeps a ghost of a member that says `ignore' when it is restarted.
    Outcome = case Scripted of
        ignore when IsRestartOfMember -> ok;
        _ -> Scripted
    end,
    Fails = lists:member(Outcome, [error, crash, odd]),
    MayMeddle = read({ready, Supervisor}, false)
        andalso (Strategy =/= one_for_all orelse (Fails andalso live(Supervisor) =:= [])),
    [meddle(Supervisor, Op) || MayMeddle, Op <- Meanwhile],
    case Outcome of
        ok -> up(Supervisor, Name, Run());
        ignore -> ignore;
        error -> {error, scripted};
        crash -> erlang:error(scripted);
        odd -> what_no_start_function_returns
    end.

up(Supervisor, Name, {ok, Pid}) ->
    write({live, Supervisor, Name}, Pid),
    write({name, Pid}, Name),
    {ok, Pid};
up(_, _, Other) ->
    Other.

next(Name) ->
    case read({script, Name}, []) of
        [] -> {ok, []};
        [Next | Rest] -> write({script, Name}, Rest), Next
    end.

spawn_worker(Name, Shutdown) ->
    Parent = self(),
    Run = fun() ->
        process_flag(trap_exit, true),
        Parent ! {self(), is_up},
        work(Name, Shutdown, Parent)
    end,
    Pid = spawn_opt(Run, [link, {priority, high}]),
    receive {Pid, is_up} -> {ok, Pid} end.

work(Name, Shutdown, Parent) ->
    receive
        {die, Reason} -> exit(Reason);
        {'EXIT', Parent, shutdown} ->
            case read({stops, Name}, obey) of
                obey -> exit(shutdown);
                deaf when Shutdown =:= infinity -> exit(shutdown);
                deaf -> work(Name, Shutdown, Parent);
                {delayed, Seconds, Reason} when Seconds * 1000 =< Shutdown -> exit(Reason);
                _ -> work(Name, Shutdown, Parent)
            end;
        {'EXIT', Parent, Reason} -> exit(Reason)
    end.

link_supervisor(Spec) ->
    Name = element(2, Spec),
    write({ready, Name}, false),
    ets:match_delete(state, {{live, Name, '_'}, '_'}),
    Options = [{spawn_opt, [{priority, high}]}],
    case gen_server:start_link(?COPY, {self, ?MODULE, Spec}, Options) of
        {ok, Pid} -> write({ready, Name}, true), {ok, Pid};
        Other -> Other
    end.

init(Spec) ->
    Name = element(2, Spec),
    write({supervisor, Name}, self()),
    write({name, self()}, Name),
    case Spec of
        {supervisor, _, Strategy, Intensity, Period, Auto, Children} ->
            Flags = #{strategy => Strategy, intensity => Intensity, period => Period,
                      auto_shutdown => Auto},
            {ok, {Flags, [child(Name, Strategy, Child) || Child <- Children]}};
        {pool, _, Intensity, Period, Restart, Shutdown} ->
            Flags = #{strategy => simple_one_for_one, intensity => Intensity, period => Period},
            Start = {?MODULE, start_member, [Name, Shutdown]},
            Child = #{id => member, start => Start, restart => Restart, shutdown => Shutdown},
            {ok, {Flags, [Child]}}
    end.

child(Supervisor, Strategy, {Name, Restart, Significant, Shutdown, Kind}) ->
    {Type, Start} = case Kind of
        worker -> {worker, {?MODULE, start_worker, [Name, Supervisor, Strategy, Shutdown]}};
        Spec -> {supervisor, {?MODULE, start_supervisor, [Spec, Supervisor, Strategy]}}
    end,
    #{id => Name, start => Start, restart => Restart, significant => Significant,
      shutdown => Shutdown, type => Type}.

%% ---- A case ----------------------------------------------------------------------------------

run({'case', Root, Ops}) ->
    ets:new(state, [named_table, public]),
    ets:new(log, [named_table, public, ordered_set]),
    write(strategies, maps:from_list(strategies(Root))),
    ended(link_supervisor(Root)),
    step(),
    lists:foreach(fun(Op) -> perform(Op), step() end, Ops),
    stop_root(),
    step(),
    Left = [Pid || [Pid] <- ets:match(state, {{live, '_', '_'}, '$1'}), is_process_alive(Pid)],
    [] = Left,
    io:put_chars(".\n"),
    ets:delete(state),
    ets:delete(log).

strategies({pool, Name, _, _, _, _}) ->
    [{Name, simple_one_for_one}];
strategies({supervisor, Name, Strategy, _, _, _, Children}) ->
    [{Name, Strategy} | [Pair || {_, _, _, _, Kind} <- Children, Kind =/= worker,
                                 Pair <- strategies(Kind)]].

ended({ok, Root}) -> write(root, Root);
ended({error, Reason}) -> write(root, none), note_end(Reason).

note_end({shutdown, {failed_to_start_child, _, _}}) -> note("ended: failed to start");
note_end(shutdown) -> note("ended: shutdown");
note_end(Other) -> note(io_lib:format("ended: ~0p", [Other])).

stop_root() ->
    case read(root, none) of
        none -> ok;
        Root -> exit(Root, shutdown)
    end.

%% Lets happen what happens, and writes down what did and what there is now.
step() ->
    settle(),
    receive {'EXIT', _, Reason} -> write(root, none), note_end(Reason) after 0 -> ok end,
    Lines = [Line || {_, Line} <- ets:tab2list(log)],
    ets:delete_all_objects(log),
    io:put_chars([[Line, $\n] || Line <- Lines ++ replies() ++ look()] ++ "-\n").

settle() ->
    erlang:yield(),
    Watched = [Pid || {Name, Pid} <- ets:tab2list(state), is_watched(Name)],
    case lists:all(fun is_at_rest/1, Watched) of
        true -> ok;
        false -> settle()
    end.

is_watched({live, _, _}) -> true;
is_watched({supervisor, _}) -> true;
is_watched({caller, _}) -> true;
is_watched(_) -> false.

is_at_rest(Pid) ->
    case process_info(Pid, [status, message_queue_len]) of
        undefined -> true;
        [{status, Status}, {message_queue_len, Length}] -> Status =:= waiting andalso Length =:= 0
    end.

perform({script, Name, Outcomes}) ->
    write({script, Name}, read({script, Name}, []) ++ Outcomes);
perform({stops, Name, Stops}) ->
    write({stops, Name}, Stops);
perform({wait, Seconds}) ->
    pass(Seconds);
perform({together, Name, Ops}) ->
    Scripts = [Script || [Script] <- ets:match(state, {{script, '_'}, '$1'}), Script =/= []],
    IsUnsure = Scripts =/= [],
    case find(Name) of
        none -> ok;
        _ when IsUnsure -> ok;
        Pid ->
            true = erlang:suspend_process(Pid),
            [meddle(Name, Op) || Op <- Ops],
            true = erlang:resume_process(Pid)
    end;
perform(Op) ->
    meddle(element(2, Op), Op).

%% What may happen at any moment, also while the supervisor is at work; it comes into its mailbox.
meddle(_, {'exit', Supervisor, Name, Reason}) ->
    case live(Supervisor, Name) of
        none -> ok;
        Pid -> is_to_try_again(find(Supervisor)) orelse die(Pid, Reason)
    end;
meddle(_, {call, Supervisor, Request}) ->
    case is_about_somebody(Supervisor, Request) andalso find(Supervisor) of
        false -> ok;
        none -> ok;
        Pid ->
            Number = read(requests, 0) + 1,
            write(requests, Number),
            Run = fun() -> write({reply, Number}, call(Pid, Supervisor, Request)) end,
            write({caller, Number}, spawn_opt(Run, [{priority, high}])),
            let_others_run()
    end.

%% Which of two tries comes first is a difference in docs/semantics.md.
is_to_try_again(none) -> false;
is_to_try_again(Pid) ->
    {messages, Messages} = process_info(Pid, messages),
    lists:any(fun({'$gen_cast', {try_again_restart, _}}) -> true; (_) -> false end, Messages).

die(Pid, kill) -> exit(Pid, kill), wait_for_end(Pid);
die(Pid, Reason) -> Pid ! {die, Reason}, wait_for_end(Pid).

wait_for_end(Pid) ->
    erlang:yield(),
    case is_process_alive(Pid) of
        true -> wait_for_end(Pid);
        false -> let_others_run()
    end.

%% A signal that was sent is received, a process that was started has done its first call.
let_others_run() ->
    lists:foreach(fun(_) -> erlang:yield() end, lists:seq(1, 8)).

call(Pid, Supervisor, Request) ->
    try gen_server:call(Pid, message(Supervisor, Request), infinity) of
        Reply -> answer(Reply)
    catch
        exit:_ -> "noproc"
    end.

%% A member that never ran has no pid to ask about. One whose end is not looked at yet has one in
%% OTP that its next life does not have, and with us one key for all its lives.
is_about_somebody(Supervisor, {_, {member, Name}}) ->
    case {read({live, Supervisor, Name}, none), find(Supervisor)} of
        {Pid, Pool} when is_pid(Pid), is_pid(Pool) ->
            {messages, Messages} = process_info(Pool, messages),
            not lists:any(fun(M) -> is_tuple(M) andalso element(2, M) =:= Pid end, Messages);
        _ -> false
    end;
is_about_somebody(_, _) -> true.

message(Supervisor, {start_child, Child}) ->
    Strategies = read(strategies, #{}),
    {_, _, _, _, Kind} = Child,
    Below = [Pair || Kind =/= worker, Pair <- strategies(Kind)],
    write(strategies, maps:merge(Strategies, maps:from_list(Below))),
    {start_child, child(Supervisor, maps:get(Supervisor, Strategies), Child)};
message(_, {start_member, Name}) ->
    {start_child, [Name]};
message(Supervisor, {Request, {member, Name}}) ->
    {Request, read({live, Supervisor, Name}, none)};
message(_, Request) ->
    Request.

answer(ok) -> "ok";
answer({ok, undefined}) -> "ok undefined";
answer({ok, Pid}) when is_pid(Pid) -> "ok";
answer({ok, #{restart := Restart, significant := Significant, shutdown := Shutdown, type := Type}}) ->
    io_lib:format("ok ~w ~w ~w ~w", [Restart, Significant, Shutdown, Type]);
answer({error, {already_started, _}}) -> "already_started";
answer({error, {bad_combination, _}}) -> "invalid";
answer({error, Reason}) when is_atom(Reason), Reason =/= scripted,
                             Reason =/= what_no_start_function_returns -> text(Reason);
answer({error, _}) -> "failed";
answer(Other) -> io_lib:format("~0p", [Other]).

%% ---- What there is ---------------------------------------------------------------------------

replies() ->
    Replies = lists:sort([{Number, Reply} || {{reply, Number}, Reply} <- ets:tab2list(state)]),
    [ets:delete(state, {reply, Number}) || {Number, _} <- Replies],
    [io_lib:format("reply ~w: ~s", [Number, Reply]) || {Number, Reply} <- Replies].

look() ->
    Names = lists:sort([Name || {{supervisor, Name}, Pid} <- ets:tab2list(state),
                                is_process_alive(Pid)]),
    [look(Name, find(Name)) || Name <- Names].

look(Supervisor, Pid) ->
    Children = [which(Child) || Child <- gen_server:call(Pid, which_children, infinity)],
    %% OTP loses count of a pool's active members where one is terminated between two tries: it
    %% has been seen to say -1.
    {Ordered, Keys} = case maps:get(Supervisor, read(strategies, #{})) of
        simple_one_for_one -> {lists:sort(Children), [specs, unsure, supervisors, workers]};
        _ -> {Children, [specs, active, supervisors, workers]}
    end,
    Counts = gen_server:call(Pid, count_children, infinity),
    Numbers = [case proplists:get_value(Key, Counts) of
                   undefined -> "-";
                   Number -> integer_to_list(Number)
               end || Key <- Keys],
    [text(Supervisor), ":", [[" ", Child] || Child <- Ordered], " (",
     lists:join(" ", Numbers), ")"].

which({undefined, Pid, _, _}) when is_pid(Pid) -> [text(name(Pid)), "=up"];
which({undefined, restarting, _, _}) -> "member=restarting";
which({Name, Pid, _, _}) when is_pid(Pid) -> [text(Name), "=up"];
which({Name, State, _, _}) -> [text(Name), "=", text(State)].

find(Supervisor) ->
    Pid = read({supervisor, Supervisor}, none),
    case is_pid(Pid) andalso is_process_alive(Pid) of
        true -> Pid;
        false -> none
    end.

live(Supervisor) ->
    [Pid || [Pid] <- ets:match(state, {{live, Supervisor, '_'}, '$1'}), is_process_alive(Pid)].

live(Supervisor, Name) ->
    Pid = read({live, Supervisor, Name}, none),
    case is_pid(Pid) andalso is_process_alive(Pid) of
        true -> Pid;
        false -> none
    end.

name(Pid) ->
    read({name, Pid}, unknown).

%% The handler of OTP's reports; it runs in the process that makes them.
log(#{msg := {report, #{report := Report}}}, _) when is_list(Report) ->
    case proplists:get_value(errorContext, Report) of
        shutdown -> note(["gave up: ", text(name(self()))]);
        _ -> ok
    end;
log(_, _) ->
    ok.

note(Line) ->
    ets:insert(log, {erlang:unique_integer([monotonic]), Line}).

text(Name) when is_atom(Name) -> atom_to_list(Name);
text(Name) -> Name.

read(Key, Default) ->
    case ets:lookup(state, Key) of
        [{_, Value}] -> Value;
        [] -> Default
    end.

take(Key, Default) ->
    Value = read(Key, Default),
    ets:delete(state, Key),
    Value.

write(Key, Value) ->
    ets:insert(state, {Key, Value}).
