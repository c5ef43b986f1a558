// SPDX-License-Identifier: Apache-2.0
//
// What the renderer's preset knows, as JSON: the options of every visualisation, data source and input with their JSON
// schemas, the events that visualisations send, and the options of the event handlers. And the check of a definition
// against the renderer's own schema.
import { createSchemaBasedOnPresets } from '@splunk/dashboard-definition';
import EnterpriseViewOnlyPreset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
import { migrateToTabsLayout } from '@splunk/dashboard-utils';
import { DashboardValidator } from '@splunk/dashboard-validation';

// Event handlers have no schema at run time; these are the options of their types in @splunk/dashboard-types. Splunk
// Web adds the last three, whose options are those of its documentation.
const HANDLERS = {
    'drilldown.customUrl': ['url', 'newTab'],
    'drilldown.setToken': ['tokens', 'token', 'key', 'tokenNamespace'],
    'drilldown.setTimeRange': ['token', 'tokenNamespace'],
    'drilldown.switchToTab': ['tabId'],
    'drilldown.resetTokens': ['tokenNames', 'tokenNamespaces'],
    'drilldown.unsetTokens': ['tokenNames', 'tokenNamespaces'],
    'drilldown.linkToSearch': ['query', 'earliest', 'latest', 'type', 'newTab'],
    'drilldown.linkToDashboard': ['app', 'dashboard', 'tokens', 'newTab'],
    'drilldown.linkToReport': ['app', 'report', 'newTab'],
};
const FILTERS = ['events', 'fields'];

function unpacked(schema = {}) {
    const { extend, ...plain } = schema;
    const parts = [extend, ...(extend?.anyOf ?? []), ...(extend?.allOf ?? []), ...(extend?.oneOf ?? [])];
    return Object.assign(plain, ...parts.map((part) => part?.properties ?? {}));
}

const described = (types) =>
    Object.fromEntries(
        Object.entries(types).map(([type, { config = {} }]) => [
            type,
            { options: unpacked(config.optionsSchema), events: Object.keys(config.events ?? {}) },
        ]),
    );

const known = {
    visualizations: described(EnterpriseViewOnlyPreset.visualizations),
    dataSources: described(EnterpriseViewOnlyPreset.dataSources),
    inputs: described(EnterpriseViewOnlyPreset.inputs),
    eventHandlers: Object.fromEntries(
        Object.entries(HANDLERS).map(([type, names]) => [type, { options: [...names, ...FILTERS] }]),
    ),
};
const LINKS = ['drilldown.linkToSearch', 'drilldown.linkToDashboard', 'drilldown.linkToReport'];
const preset = {
    ...EnterpriseViewOnlyPreset,
    eventHandlers: {
        ...EnterpriseViewOnlyPreset.eventHandlers,
        ...Object.fromEntries(LINKS.map((type) => [type, class {}])),
    },
};
const validator = new DashboardValidator();

window.__check = (definition) => {
    validator.validateDefinition || validator.setSchema(createSchemaBasedOnPresets(preset));
    const found = validator.validate(migrateToTabsLayout({ definition }).definition ?? definition) ?? [];
    return found.map(({ instancePath = '', message, ...rest }) => `${instancePath} ${message ?? JSON.stringify(rest)}`);
};

const unlisted = Object.keys(EnterpriseViewOnlyPreset.eventHandlers).filter((type) => !HANDLERS[type]);
if (unlisted.length) throw new Error(`event handlers without options here: ${unlisted}`);

document.body.textContent = JSON.stringify(known, (key, value) =>
    ['description', 'skipTokenSupport'].includes(key) && typeof value !== 'object' ? undefined : value,
);
