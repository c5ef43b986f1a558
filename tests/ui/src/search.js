// SPDX-License-Identifier: Apache-2.0
//
// The two data sources that ask the test's server in place of splunkd. A chain search learns from its parent the whole
// query, with the tokens already put in, and its time range.
import { DataSet } from '@splunk/datasource-utils';
import SplunkSearch from '@splunk/datasources/SplunkSearch';
import TestDataSource from '@splunk/datasources/TestDataSource';

const NOTHING = 'Search ran successfully, but no results were returned';

const ask = (body) => fetch('/search', { method: 'POST', body: JSON.stringify(body) }).then((answer) => answer.json());

const sorted = (query, sort) => {
    const keys = Object.entries(sort ?? {}).filter(([, direction]) => direction === 'asc' || direction === 'desc');
    const terms = keys.map(([field, direction]) => `${direction === 'asc' ? '+' : '-'}"${field}"`);
    return terms.length ? `${query}\n| sort 0 ${terms.join(', ')}` : query;
};

export class BaseSearch extends TestDataSource {
    static schema = SplunkSearch.schema;

    static config = SplunkSearch.config;

    answers = {};

    constructor(options = {}, context = {}) {
        super({}, context);
        this.options = options;
        this.query = options.query;
        this.range = { earliest: '', latest: '', ...options.queryParameters };
    }

    run(query) {
        const { query: own, ...options } = this.options;
        this.answers[query] ??= ask({ name: this.context.id ?? '', query, own, options, ...this.range });
        return this.answers[query];
    }

    request(parameters = {}) {
        return (observer) => {
            let cancelled = false;
            const emit = (answer) => {
                if (cancelled) return;
                if (answer.error) {
                    observer.error({ level: 'error', message: answer.error, meta: { search: this.query } });
                    return;
                }
                observer.next(this.page(answer, parameters));
                observer.complete();
            };
            if (this.query !== undefined) {
                this.run(sorted(this.query, parameters.sort)).then(emit, (error) => emit({ error: String(error) }));
            }
            return () => { cancelled = true; };
        };
    }

    page({ fields, columns }, { count, offset }) {
        const totalCount = columns[0]?.length ?? 0;
        return {
            data: DataSet.fromJSONCols(fields, columns).getPage({ count: count || totalCount, offset }),
            meta: {
                sid: `${this.context.id}_sid`,
                status: 'done',
                percentComplete: 100,
                totalCount,
                statusMessage: totalCount ? '' : NOTHING,
                lastUpdated: '2026-01-01T00:00:00.000Z',
                search: this.query,
                range: this.range,
            },
        };
    }
}

export class ChainSearch extends BaseSearch {
    changed = false;

    constructor(options, context) {
        super(options, context);
        this.query = undefined; // not known before the parent has its first results
    }

    getObserver() {
        return {
            next: ({ meta }) => {
                this.changed = this.query !== meta.completeSearchQuery;
                this.query = meta.completeSearchQuery;
                this.range = meta.range;
            },
            error: () => {},
            complete: () => {},
        };
    }

    shouldRefreshSubscription() {
        return this.changed;
    }
}
