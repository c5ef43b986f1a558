// SPDX-License-Identifier: Apache-2.0
//
// The page: draws the view named in its address with Splunk's own renderer. Searches go to the server's /search.
// ?view=NAME&theme=light|dark&form.TOKEN=VALUE, as the addresses of Splunk Web preset tokens.
import './quiet';
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createGlobalStyle } from 'styled-components';
import DashboardCore from '@splunk/dashboard-core';
import { DashboardContextProvider } from '@splunk/dashboard-context';
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
import { isValidUrl } from '@splunk/dashboard-utils';
import SplunkThemeProvider from '@splunk/themes/SplunkThemeProvider';
import pick from '@splunk/themes/pick';
import variables from '@splunk/themes/variables';
import { BaseSearch, ChainSearch } from './search';
import { LinkToDashboard, LinkToSearch } from './links';

const FEATURES = { enableSmartSourceDS: true }; // as in Splunk Web

const preset = {
    ...EnterpriseViewOnlyPreset,
    dataSources: { ...EnterpriseViewOnlyPreset.dataSources, 'ds.search': BaseSearch, 'ds.chain': ChainSearch },
    eventHandlers: {
        ...EnterpriseViewOnlyPreset.eventHandlers,
        'drilldown.linkToSearch': LinkToSearch,
        'drilldown.linkToDashboard': LinkToDashboard,
    },
};

const PageBackground = createGlobalStyle`
    body { background: ${pick({
        enterprise: variables.backgroundColorPage,
        prisma: variables.backgroundColorPage,
    })}; }
`;

// Links are not followed but kept for the tests; those that the renderer refuses to follow, such as with a space, too.
const recordLinks = {
    onLinkToUrl: (event) => {
        event.preventDefault();
        window.__opened.push({ url: event.url, newTab: Boolean(event.newTab), followed: isValidUrl(event.url) });
    },
};

function presetTokens(parameters) {
    const tokens = {};
    parameters.forEach((value, name) => {
        if (name.startsWith('form.')) tokens[name.slice('form.'.length)] = value;
    });
    return { default: tokens };
}

function View({ definition, tokens }) {
    return (
        <DashboardContextProvider
            preset={preset}
            initialDefinition={definition}
            initialTokenBinding={tokens}
            timezone={{ ianaTimezone: 'UTC' }}
            featureFlags={FEATURES}
            dashboardPlugin={recordLinks}
            onTokenBindingChange={(binding) => { window.__tokens = binding; }}
        >
            <DashboardCore width="100%" height="100%" />
        </DashboardContextProvider>
    );
}

function Page({ parameters }) {
    const [definition, setDefinition] = useState(null);
    useEffect(() => {
        fetch(`/view/${parameters.get('view')}`)
            .then((answer) => {
                if (!answer.ok) throw new Error(`there is no view ${parameters.get('view')}`);
                return answer.json();
            })
            .then(setDefinition);
    }, [parameters]);
    return (
        <SplunkThemeProvider family="enterprise" colorScheme={parameters.get('theme') || 'light'} density="comfortable">
            <PageBackground />
            {definition && <View definition={definition} tokens={presetTokens(parameters)} />}
        </SplunkThemeProvider>
    );
}

let root = null;

window.__close = () => {
    root?.unmount();
    root = null;
};

// Loading this page takes seconds, another view in it does not: tests change the view without loading it again.
window.__show = (search) => {
    window.__close();
    window.history.replaceState({}, '', `/${search}`);
    window.__opened = [];
    window.__tokens = {};
    root = createRoot(document.getElementById('page'));
    root.render(<Page parameters={new URLSearchParams(search)} />);
};

window.__show(window.location.search);
