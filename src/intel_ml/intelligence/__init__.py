"""src/intel_ml/intelligence"""
