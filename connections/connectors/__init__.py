"""The connectors: one module or package per back end, all with the same contract."""
