// The pages' keyboard and the way to the server. Clicks and keys before the server is ready are kept and sent then.
(() => {
  "use strict";
  if (window.intel) return;
  const EVERY_MS = 4000;
  let serve = null, waiting = [], sent = 0, applied = 0, flying = 0, deciding = false, last = null, typing = null;
  const $ = (query, from = document) => from.querySelector(query);
  const main = () => $("main.intel");
  const isDesk = () => main()?.dataset.page === "approvals";
  const rows = () => [...document.querySelectorAll("main .row")];

  function standing() {
    const data = main().dataset, all = { page: data.page };
    for (const control of document.querySelectorAll("main [data-set]")) all[control.dataset.set] = control.value;
    for (const control of document.querySelectorAll('main [data-choose][aria-pressed="true"]'))
      all[control.dataset.choose] = control.dataset.value;
    if (isDesk()) Object.assign(all, { opened: data.opened || "", queue: data.queue || "", card: data.card || "" });
    else all.body = data.body || "";
    return all;
  }

  function ask(kind, more = {}) {
    if (!serve) {
      return new Promise((done) => waiting.push(() => ask(kind, more).then(done)));
    }
    const number = ++sent;
    flying += 1;
    return Promise.resolve()
      .then(() => serve({ ...standing(), ...more, kind }))
      .then((answer) => {
        if (!answer || typeof answer !== "object") throw new Error("no answer");
        if (answer.login) return leave();
        if (document.body.dataset.lost) { delete document.body.dataset.lost; say(""); }
        if (number > applied) { applied = number; show(answer); }
        if (answer.undo) last = answer.undo;
        // The open card says itself what happens next.
        if (answer.notice && (answer.danger || !["approve", "reject", "modify"].includes(kind)))
          say(answer.notice, answer.danger);
        else if (answer.notice) say("");
        return answer;
      })
      .catch(async () => {
        if (await isOut()) return leave();
        document.body.dataset.lost = "1";
        say("The server does not answer. What you see may be old; trying again every few seconds.", true);
      })
      .finally(() => { flying -= 1; });
  }

  // Without a session the frame around the pages refuses before they can say so.
  async function isOut() {
    try { return (await fetch(location.pathname, { redirect: "manual", cache: "no-store" })).type === "opaqueredirect"; }
    catch { return false; }
  }

  function leave() {
    location.assign(`/login?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  function show(answer) {
    const page = main();
    if (answer.body != null) { $(".body", page).innerHTML = answer.body; page.dataset.body = answer.body_digest; }
    if (!isDesk()) return;
    if (answer.queue != null) {
      const list = $(".rows", page), top = list.scrollTop, held = document.activeElement?.dataset?.open;
      list.innerHTML = answer.queue;
      list.scrollTop = top;
      page.dataset.queue = answer.queue_digest;
      if (held) $(`.row[data-open="${CSS.escape(held)}"]`, list)?.focus({ preventScroll: true });
    }
    if (answer.halt != null && answer.halt !== page.dataset.halt) { $(".halt", page).innerHTML = answer.halt; page.dataset.halt = answer.halt; }
    if (answer.sum != null) $(".sum", page).textContent = decoded(answer.sum);
    if (answer.opened && !page.dataset.opened) page.dataset.opened = answer.opened;
    const mine = (answer.opened || "") === (page.dataset.opened || "");
    if (mine && answer.card != null) {
      const box = $(".opened", page), fresh = $(".card", box)?.dataset.key !== answer.opened;
      const unfolded = !fresh && $(".more", box)?.open;
      box.innerHTML = answer.card;
      if (unfolded) $(".more", box)?.setAttribute("open", "");
      page.dataset.card = answer.card_digest;
      if (fresh) box.scrollTop = 0;
    }
    const all = $('[data-do="approve-all"]', page);
    if (all) all.disabled = !rows().length;
    mark();
  }

  function decoded(html) { const box = document.createElement("template"); box.innerHTML = html; return box.content.textContent; }

  function mark() {
    const key = main().dataset.opened;
    for (const row of rows()) row.setAttribute("aria-selected", String(row.dataset.open === key));
  }

  function say(words, danger = false) {
    const box = $("main .notice");
    if (!box) return;
    box.textContent = "";
    box.classList.toggle("danger", Boolean(danger));
    if (!words) return;
    const text = document.createElement("span");
    text.textContent = (danger ? "⚠ " : "") + words;
    const close = document.createElement("button");
    close.type = "button"; close.className = "plain"; close.textContent = "Dismiss"; close.onclick = () => say("");
    box.append(text, close);
  }

  function open(key, byHand = true) {
    if (!key) return;
    const page = main();
    page.dataset.opened = key;
    page.dataset.card = "";
    if (byHand) page.classList.add("has-open");
    mark();
    $(`.row[data-open="${CSS.escape(key)}"]`)?.scrollIntoView({ block: "nearest" });
    history.replaceState(null, "", `?action=${key.split(":").pop()}`);
    $(".opened").classList.add("leaving");
    ask("look").then(() => $(".opened").classList.remove("leaving"));
  }

  let place = 0;
  function step(by) {
    const list = rows();
    if (!list.length) return say(search().value ? "Nothing else matches the filter." : "Nothing is left to decide.");
    const now = list.findIndex((row) => row.dataset.open === main().dataset.opened);
    // A decided card has left the list: the one that took its place is next.
    const next = now >= 0 ? now + by : by > 0 ? place : place - 1;
    place = Math.max(0, Math.min(list.length - 1, next));
    open(list[place].dataset.open);
  }

  function decide(kind, more = {}) {
    const key = more.key || main().dataset.opened;
    if (deciding || (!key && kind !== "approve-all")) return;
    const card = $(".opened .card");
    if (["approve", "reject", "modify"].includes(kind) && card?.dataset.status !== "pending_approval")
      return say("This one is decided. J opens the next.");
    const at = rows().findIndex((row) => row.dataset.open === key);
    if (at >= 0) place = at;
    deciding = true;
    for (const button of document.querySelectorAll(".decide button")) button.disabled = true;
    return ask(kind, { key: key || "", ...more }).finally(() => {
      deciding = false;
      // The executor needs a moment; then the card tells what happened.
      for (const wait of [900, 2200]) setTimeout(() => { if (!flying && !deciding) ask("look"); }, wait);
      for (const button of document.querySelectorAll(".decide button")) button.disabled = false;
    });
  }

  function dialog(title, fill) {
    $("dialog.intel")?.remove();
    const box = document.createElement("dialog");
    box.className = "intel";
    const name = document.createElement("h2");
    name.textContent = title;
    box.append(name);
    document.body.append(box);
    const shut = () => { box.close(); box.remove(); };
    box.addEventListener("close", () => box.remove());
    fill(box, shut);
    box.showModal();
    box.addEventListener("keydown", (event) => {
      if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
      const choice = /^[1-9]$/.test(event.key) && $(`.choices button:nth-child(${event.key})`, box);
      if (choice) { event.preventDefault(); choice.click(); }
    });
    return box;
  }

  function input(box, label, name) {
    const words = document.createElement("label"), entry = document.createElement("input");
    words.textContent = label;
    entry.name = name; entry.maxLength = 300; entry.autocomplete = "off";
    words.append(entry);
    box.append(words);
    return entry;
  }

  function buttons(box, shut, word, act) {
    const bar = document.createElement("div"), no = document.createElement("button"), yes = document.createElement("button");
    bar.className = "bar";
    no.type = yes.type = "button";
    no.textContent = "Cancel"; no.onclick = shut;
    yes.textContent = word; yes.className = "primary"; yes.onclick = act;
    bar.append(no, ...(word ? [yes] : []));
    box.append(bar);
    return yes;
  }

  function reject() {
    if (!waits()) return decide("reject");
    const key = main().dataset.opened;
    dialog("Reject: why?", (box, shut) => {
      const list = document.createElement("div");
      list.className = "choices";
      list.innerHTML = $(".reject-choices").innerHTML;
      box.append(list);
      const entry = input(box, "Another reason, in your words", "reason");
      const send = (reason) => { shut(); decide("reject", { key, reason }); };
      list.onclick = (event) => {
        const reason = event.target.closest("button")?.dataset.reason;
        if (reason === "other") entry.focus();
        else if (reason) send(reason);
      };
      const written = () => (entry.value.trim() ? send(entry.value.trim()) : entry.focus());
      entry.onkeydown = (event) => { if (event.key === "Enter") { event.preventDefault(); written(); } };
      buttons(box, shut, "Reject", written);
    });
  }

  function modify() {
    if (!waits()) return decide("modify");
    const key = main().dataset.opened, options = $(".opened .modify-choices")?.innerHTML;
    if (!options) return say("There is no other change that can be made here; reject it instead.");
    dialog("Modify: do this instead", (box, shut) => {
      const list = document.createElement("div");
      list.className = "choices";
      list.innerHTML = options;
      box.append(list);
      const entry = input(box, "Why (optional; write first, then choose)", "reason");
      list.onclick = (event) => {
        const change = event.target.closest("button")?.dataset.change;
        if (change) { const reason = entry.value; shut(); decide("modify", { key, change, reason }); }
      };
      buttons(box, shut, "", null);
    });
  }

  function approveAll(which = rows(), title = `Approve all ${which.length} shown?`) {
    const keys = which.map((row) => row.dataset.open);
    if (!keys.length) return say("Nothing matches, so there is nothing to approve.");
    dialog(title, (box, shut) => {
      const words = document.createElement("p");
      const tries = which.filter((row) => "chance" in row.dataset).length;
      words.textContent = tries === which.length
        ? `${tries === 1 ? "It" : "Each"} is a small test by chance; the card says what it costs at worst.`
        : $(".sum").textContent + ". Each is approved as proposed.";
      box.append(words);
      const yes = buttons(box, shut, `Approve ${keys.length}`, () => { shut(); decide("approve-all", { keys }); });
      yes.autofocus = true;
    });
  }

  function approveTries() {
    const tries = rows().filter((row) => "chance" in row.dataset);
    approveAll(tries, tries.length === 1 ? "Approve the random try?" : `Approve ${tries.length} random tries?`);
  }

  function undo() {
    const opened = $('.opened [data-do="undo"]') ? main().dataset.opened : null;
    if (!opened && $(".opened .card")?.dataset.status === "rejected")
      return say("A rejection changed nothing, so there is nothing to undo here.");
    const key = opened || last;
    if (!key) return say("There is no decision of yours to undo here. History lists older ones.");
    if (key !== main().dataset.opened) {
      // What is undone must be on screen first.
      open(key);
      return say("This is your last approval. Press U once more to undo it.");
    }
    decide("undo", { key });
  }

  const waits = () => $(".opened .card")?.dataset.status === "pending_approval";
  const search = () => $('main [data-set="search"]');
  const doing = {
    next: () => step(1),
    approve: () => decide("approve"), reject, modify, undo,
    "approve-all": () => approveAll(), "approve-tries": approveTries,
    close: () => { main().classList.remove("has-open"); history.replaceState(null, "", location.pathname); },
    clear: () => { search().value = ""; ask("look"); search().focus(); },
  };
  const keys = { a: doing.approve, r: reject, m: modify, u: undo, j: () => step(1), k: () => step(-1) };

  document.addEventListener("click", (event) => {
    const on = event.target.closest?.("[data-do],[data-open],[data-choose],[data-send]");
    if (!on || !main()?.contains(on)) return;
    const data = on.dataset;
    if (data.open) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(data.open);
    } else if (data.do) doing[data.do]?.();
    else if (data.choose) {
      for (const other of document.querySelectorAll(`main [data-choose="${data.choose}"]`))
        other.setAttribute("aria-pressed", String(other === on));
      ask("look");
    } else if (data.send) {
      on.disabled = true;
      ask(data.send, { key: data.key || "" }).finally(() => { on.disabled = false; });
    }
  });

  document.addEventListener("input", (event) => {
    if (event.target.dataset?.set !== "search") return;
    clearTimeout(typing);
    typing = setTimeout(() => ask("look"), 180);
  });
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.set;
    if (name && name !== "search") { if (isDesk()) main().dataset.opened = ""; ask("look"); }
  });

  document.addEventListener("keydown", (event) => {
    if (!isDesk() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if ($("dialog.intel[open]")) return;
    if (event.target.matches?.("input,textarea,select,[contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") { event.preventDefault(); main().classList.remove("has-open"); search().focus(); search().select(); return; }
    const key = event.key.toLowerCase();
    if (key === "a" && event.shiftKey) { event.preventDefault(); if (!event.repeat) approveAll(); return; }
    if (event.shiftKey || !keys[key] || (event.repeat && !"jk".includes(key))) return;
    event.preventDefault();
    keys[key]();
  });

  function ready(element, server) {
    const page = main();
    if (page && !element.contains(page)) element.append(page);
    document.body.classList.add("intel-ready");
    serve = server.serve;
    if (isDesk()) mark();
    for (const go of waiting.splice(0)) go();
    if (page?.dataset.page === "trouble") return void setTimeout(() => location.reload(), EVERY_MS);
    setInterval(() => { if (!document.hidden && !flying && !deciding) ask("look"); }, EVERY_MS);
  }
  document.addEventListener("DOMContentLoaded", () => { if (isDesk()) mark(); });
  window.intel = { ready };
})();
