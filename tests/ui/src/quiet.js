// SPDX-License-Identifier: Apache-2.0
//
// Knows when the page has come to rest, however slow the machine is: nothing that the renderer asked the browser for is
// outstanding, and React has nothing left to do. It counts from its import on, so it is imported before the renderer.
import { unstable_IdlePriority as IDLE, unstable_scheduleCallback as schedule } from 'scheduler';

const LONGEST_MS = 10_000; // a timer that runs longer watches for what hangs; nobody waits for it
const POLL_MS = 20;
const own = { setTimeout: window.setTimeout, requestAnimationFrame: window.requestAnimationFrame };
const outstanding = new Map();
let changes = 0;

function busy(name, promise) {
    const key = Symbol(name);
    outstanding.set(key, name);
    const done = () => outstanding.delete(key);
    promise.then(done, done);
}

function countCallbacks(start, stop, counts) {
    const [starts, stops] = [window[start], window[stop]];
    window[start] = (callback, option, ...more) => {
        if (typeof callback !== 'function' || !counts(option)) return starts(callback, option, ...more);
        const id = starts((...values) => {
            outstanding.delete(`${start} ${id}`);
            callback(...values);
        }, option, ...more);
        outstanding.set(`${start} ${id}`, `${start} ${option ?? ''}`);
        return id;
    };
    window[stop] = (id) => {
        outstanding.delete(`${start} ${id}`);
        stops(id);
    };
}

function countRequests() {
    const { fetch } = window;
    window.fetch = (...asked) => {
        const answer = fetch(...asked);
        busy(`fetch ${asked[0]}`, answer.then((response) => response.clone().arrayBuffer()));
        return answer;
    };
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function sendCounted(...body) {
        busy('XMLHttpRequest', new Promise((done) => { this.addEventListener('loadend', done); }));
        send.apply(this, body);
    };
}

countCallbacks('setTimeout', 'clearTimeout', (wait) => !(wait > LONGEST_MS));
countCallbacks('requestAnimationFrame', 'cancelAnimationFrame', () => true);
countCallbacks('requestIdleCallback', 'cancelIdleCallback', () => true);
countRequests();
new MutationObserver(() => { changes += 1; }).observe(document, {
    attributes: true,
    characterData: true,
    childList: true,
    subtree: true,
});

const pause = (wait) => new Promise((done) => { own.setTimeout.call(window, done, wait); });

// Until the browser has drawn a frame, whose observers were called, and React has done all that it had put off.
window.__drawn = async () => {
    await new Promise((done) => { own.requestAnimationFrame.call(window, done); });
    await pause(0);
    await new Promise((done) => { schedule(IDLE, done); });
};

const waiting = () => [
    ...outstanding.values(),
    ...[...document.images].filter((image) => !image.complete).map((image) => image.src),
    ...(document.fonts.status === 'loaded' ? [] : ['fonts']),
];

// Until two frames in a row find nothing outstanding and nothing changed: []. When the time is up: what it waits for.
window.__rest = async (limit) => {
    const end = performance.now() + limit;
    let still = 0;
    while (still < 2 && performance.now() < end) {
        const before = changes;
        if (waiting().length) await pause(POLL_MS);
        await window.__drawn();
        still = waiting().length === 0 && changes === before ? still + 1 : 0;
    }
    return still === 2 ? [] : [...waiting(), 'the last change of the page'];
};
