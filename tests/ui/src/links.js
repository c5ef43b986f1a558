// SPDX-License-Identifier: Apache-2.0
//
// The two drilldowns that Splunk Web brings itself and the renderer's preset lacks, as links with its addresses.
const accepts = (list, value) => !list?.length || list.includes('any') || list.includes(value);

class Link {
    constructor(options = {}) {
        this.options = options;
    }

    canHandle = (event) =>
        event.type.endsWith('.click') &&
        accepts(this.options.events, event.type) &&
        accepts(this.options.fields, event.payload?.name);

    handle = (event) =>
        Promise.resolve([{ type: 'linkTo', payload: { url: this.url(event), newTab: this.options.newTab } }]);
}

const address = (path, parameters) => `${path}?${new URLSearchParams(parameters).toString()}`;

export class LinkToSearch extends Link {
    url() {
        const { query = '', earliest, latest } = this.options;
        return address('/app/search/search', {
            q: query,
            ...(earliest !== undefined && { earliest }),
            ...(latest !== undefined && { latest }),
        });
    }
}

export class LinkToDashboard extends Link {
    url(event) {
        const { app, dashboard, tokens = [] } = this.options;
        const pairs = tokens.map(({ token, value }) => [
            token.startsWith('form.') ? token : `form.${token}`,
            event.payload?.[value] ?? value,
        ]);
        return address(`/app/${app}/${dashboard}`, pairs);
    }
}
