#!/usr/bin/env python3
"""A whole Outlast worker in Python, with nothing but the standard library. docs/protocol.md tells what it says to masters.

    python3 examples/worker.py http://127.0.0.1:7070 [NAME]

It runs tasks of two kinds. `word-count` takes {"text": "..."} and gives how often each word occurs. `py-steps` shows steps: the
result of a step is committed before the handler goes on, and a later attempt is given it instead of running the step again.
Results wait in memory until a master has taken them; a worker that must survive its own death keeps them on disk.
"""
import collections, json, os, queue, socket, sys, threading, time, urllib.error, urllib.request, uuid

masters = sys.argv[1].split(",")
name = sys.argv[2] if len(sys.argv) > 2 else f"python-{socket.gethostname()}".replace(" ", "-")
boot = uuid.uuid4().hex
token = os.environ.get("OUTLAST_TOKEN")
now = lambda: int(time.time() * 1000)
say = lambda text: print(text, flush=True)


class Task:
    """One attempt that runs here."""

    def __init__(self, worker, assignment):
        self.worker, self.assignment, self.started_at = worker, assignment, now()
        self.is_over, self.remembered = threading.Event(), {}
        self.issued = {key: assignment[key] for key in ("task", "attempt", "assignedAt")}

    def step(self, key, function):
        """Runs `function` once over all attempts of the task. Returns when its result is committed."""
        if key in self.remembered:
            return self.remembered[key]
        value = function()
        answer = self.worker.send({"kind": "step", **self.issued, "key": key, "value": value}, self)
        if answer["verdict"] != "committed":
            raise RuntimeError(answer.get("message", "the attempt is over"))
        return value


def word_count(data, task):
    return dict(collections.Counter(data["text"].split()))


def py_steps(data, task):
    first = task.step("first", lambda: task.assignment["attempt"])
    while not os.path.exists(data["gate"]) and not task.is_over.wait(0.02):
        pass
    return {"first": first, "last": task.assignment["attempt"]}


kinds = {"word-count": word_count, "py-steps": py_steps}


class Worker:
    def __init__(self):
        self.lock = threading.Lock()
        self.running, self.pending, self.answers = {}, {}, {}
        self.last_id, self.epoch, self.incarnation = 0, 0, None
        self.master = self.session = None
        self.wake = queue.Queue()

    def call(self, address, path, body, timeout=15):
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{address}/v1/workers/{name}{path}", data, headers)
        return urllib.request.urlopen(request, timeout=timeout)

    def send(self, item, task=None):
        """Queues an item until a master has acknowledged it; for a running task, returns the answer."""
        with self.lock:
            self.last_id += 1
            number = self.last_id
            done = self.answers[number] = queue.Queue()
            self.pending[number] = {**item, "id": number}
        self.wake.put(None)
        while task is not None:
            try:
                return done.get(timeout=0.1)
            except queue.Empty:
                if task.is_over.is_set():
                    raise RuntimeError("the attempt was aborted")

    def run(self, task):
        assignment, outcome = task.assignment, {}
        try:
            if assignment.get("steps"):
                self.read_steps(task)
            outcome = {"outcome": "success", "output": kinds[assignment["kind"]](assignment["input"], task)}
        except Exception as error:
            outcome = {"outcome": "failed", "error": {"code": "error", "message": f"{type(error).__name__}: {error}"}}
        if task.is_over.is_set():
            outcome = {"outcome": "aborted"}
        say(f"ended {assignment['task']} {outcome['outcome']}")
        times = {"startedAt": task.started_at, "endedAt": now()}
        with self.lock:
            self.running.pop((assignment["task"], assignment["attempt"]), None)
        self.send({"kind": "result", **task.issued, "boot": boot, **times, **outcome})

    def read_steps(self, task):
        after = None
        while not task.is_over.is_set():
            request = {"session": self.session, "task": task.issued["task"], "attempt": task.issued["attempt"], "after": after}
            try:
                page = json.load(self.call(self.master, "/steps", request))
            except (OSError, TypeError):
                time.sleep(0.2)
                continue
            task.remembered.update({each["key"]: each["step"].get("value") for each in page["steps"]})
            after = page["next"]
            if after is None:
                return

    def attach(self, address):
        with self.lock:
            running = [{**task.issued, "startedAt": task.started_at} for task in self.running.values()]
            results = [item for item in self.pending.values() if item["kind"] == "result"]
            outbox = [{key: item[key] for key in ("task", "attempt", "assignedAt")} for item in results]
        about = {"protocol": 2, "protocolMin": 2, "protocolMax": 2, "boot": boot, "capacity": 4, "queues": ["default"]}
        state = {"running": running, "outbox": outbox, "isDraining": False, "epochMax": self.epoch}
        machine = {"probePort": None, "hostname": socket.gethostname(), "pid": os.getpid(), "version": "python-1"}
        request = {**about, **state, **machine, "kinds": list(kinds), "incarnation": self.incarnation}
        answer = json.load(self.call(address, "/sessions", request))
        self.master, self.session = address, answer["session"]
        self.epoch, self.incarnation = answer["epoch"], answer["incarnation"]
        for attempt in answer["abort"]:
            self.abort(attempt)
        say(f"attached to {address} as {name}")

    def abort(self, attempt):
        task = self.running.get((attempt["task"], attempt["attempt"]))
        if task is not None:
            task.is_over.set()

    def listen(self):
        """Takes what comes down the stream until it ends. A master says `beat` every second, so silence means its death."""
        with self.call(self.master, f"/stream?session={self.session}", None, timeout=10) as stream:
            for line in stream:
                if not line.startswith(b"data:"):
                    continue
                message = json.loads(line[5:])
                if message["kind"] == "assign":
                    for assignment in message["assignments"]:
                        self.start(assignment)
                elif message["kind"] == "abort":
                    for attempt in message["attempts"]:
                        self.abort(attempt)

    def start(self, assignment):
        key = (assignment["task"], assignment["attempt"])
        with self.lock:
            # An assignment may come twice; an attempt starts once.
            if key in self.running or any((i["task"], i["attempt"]) == key for i in self.pending.values()):
                return
            task = self.running[key] = Task(self, assignment)
        say(f"started {assignment['task']} {assignment['attempt']}")
        threading.Thread(target=self.run, args=(task,), daemon=True).start()

    def report(self):
        """Sends what is pending, and at least a heartbeat every second; what is not acknowledged goes out again."""
        while True:
            try:
                self.wake.get(timeout=1)
            except queue.Empty:
                pass
            with self.lock:
                master, session, items = self.master, self.session, list(self.pending.values())[:1000]
            if session is None:
                continue
            try:
                body = {"boot": boot, "session": session, "epoch": self.epoch, "items": items}
                for ack in json.load(self.call(master, "/reports", body)).get("acks", []):
                    with self.lock:
                        self.pending.pop(ack["id"], None)
                        done = self.answers.pop(ack["id"], None)
                    if done is not None:
                        done.put(ack)
            except OSError:
                time.sleep(0.1)

    def work(self):
        threading.Thread(target=self.report, daemon=True).start()
        while True:
            for address in list(masters):
                try:
                    self.attach(address)
                    self.listen()
                except urllib.error.HTTPError as error:
                    # A standby names the leader.
                    leader = json.loads(error.read() or b"{}").get("error", {}).get("leader")
                    if leader and leader not in masters:
                        masters.append(leader)
                except (OSError, ValueError):
                    pass
                self.session = None
            time.sleep(0.2)


Worker().work()
