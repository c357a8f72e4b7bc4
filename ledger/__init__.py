"""The domain of prepaid supply: facts, rules, prices and views, free of any driver."""
