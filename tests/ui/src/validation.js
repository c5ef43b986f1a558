// SPDX-License-Identifier: Apache-2.0
//
// In place of @splunk/dashboard-validation in the page, where it would use a core for seconds at every view: the check
// of schemas.js is made once.
export const Validator = () => null;
