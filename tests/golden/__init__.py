# SPDX-License-Identifier: Apache-2.0
"""Golden cases: inputs with the reply that is expected of each."""
