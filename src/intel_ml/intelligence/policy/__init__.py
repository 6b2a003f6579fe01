"""src/intel_ml/intelligence/policy"""
